// Keeps the regions of a page up to date that say where they come from. All of what it puts there is markup that the
// coordinator made; nothing of it is script, and the page's policy would not run any.
"use strict";

const PAUSE = 2000;

function follow(region) {
  const status = document.querySelector("[data-live-status]");
  const say = (text) => {
    if (status && status.textContent !== text) status.textContent = text;
  };
  const again = () => setTimeout(ask, PAUSE);
  async function ask() {
    if (document.hidden) {
      document.addEventListener("visibilitychange", ask, { once: true });
      return;
    }
    try {
      const answer = await fetch(region.dataset.live, { credentials: "same-origin", redirect: "manual" });
      if (answer.type === "opaqueredirect") {
        say("The session has ended: load the page anew to sign in.");
        return;
      }
      if (!answer.ok) throw new Error(String(answer.status));
      const scrolled = [...region.querySelectorAll(".scroll")].map((one) => one.scrollLeft);
      region.innerHTML = await answer.text();
      region.querySelectorAll(".scroll").forEach((one, place) => { one.scrollLeft = scrolled[place] || 0; });
      if (answer.headers.get("x-gitfleet-done")) {
        say("It has come to its end.");
        // What can be done about it is another thing now.
        location.reload();
        return;
      }
      say("It is kept up to date.");
    } catch {
      say("The coordinator does not answer; it is asked again.");
    }
    again();
  }
  again();
}

document.querySelectorAll("[data-live]").forEach(follow);
