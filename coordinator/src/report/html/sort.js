(function () {
  "use strict";
  function key(row, column) {
    var cell = row.cells[column];
    var text = cell ? cell.dataset.v || cell.textContent.trim() : "";
    var number = parseFloat(text.replace(/,/g, ""));
    return { text: text, number: number, known: text !== "" && text !== "-" && text !== "unknown" };
  }
  function sort(table, column, numbers, down) {
    var body = table.tBodies[0];
    var rows = Array.from(body.rows).map(function (row, place) {
      return { row: row, place: place, key: key(row, column) };
    });
    rows.sort(function (a, b) {
      if (a.key.known !== b.key.known) return a.key.known ? -1 : 1;
      var order = numbers ? a.key.number - b.key.number || 0 : a.key.text.localeCompare(b.key.text);
      return (down ? -order : order) || a.place - b.place;
    });
    rows.forEach(function (one) { body.appendChild(one.row); });
  }
  document.querySelectorAll("table.sortable").forEach(function (table) {
    var heads = Array.from(table.tHead.rows[0].cells);
    heads.forEach(function (head, column) {
      var button = document.createElement("button");
      button.type = "button";
      while (head.firstChild) button.appendChild(head.firstChild);
      head.appendChild(button);
      button.addEventListener("click", function () {
        var numbers = head.classList.contains("n");
        var was = head.getAttribute("aria-sort");
        var down = was ? was === "ascending" : numbers;
        heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        sort(table, column, numbers, down);
      });
    });
  });
})();
