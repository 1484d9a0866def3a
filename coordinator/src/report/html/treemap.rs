//! Areas in a rectangle: the larger a thing, the larger its box, and a shade for a second number.
//!
//! Boxes are laid out row by row along the shorter side, each row as long as its boxes get squarer (Bruls, Huizing and
//! van Wijk, "Squarified Treemaps", 2000). They are HTML and not SVG so that a name is cut and not stretched.

use crate::report::html::heat::SHADES;

pub(super) struct Tile {
    pub(super) size: u64,
    /// Shown where there is room; HTML.
    pub(super) name: String,
    /// What the box says when pointed at; escaped.
    pub(super) tip: String,
    /// From 0, none, to 5.
    pub(super) shade: u32,
}

/// Height by width: twice as wide as high.
const RATIO: f64 = 2.0;
const LEAST_PART: u128 = 20_000;
/// Names of smaller boxes could not be read.
const LEAST_NAMED: (f64, f64) = (7.0, 6.0);

/// Returns the map; `class` names its colours, `label` says what it is to those who cannot see it.
pub(super) fn render(class: &str, label: &str, tiles: &[Tile]) -> String {
    let total: u128 = tiles.iter().map(|tile| u128::from(tile.size)).sum();
    // What is smaller than a dot can neither be seen nor pointed at.
    let is_seen = |tile: &&Tile| u128::from(tile.size) * LEAST_PART > total;
    let mut tiles: Vec<&Tile> = tiles.iter().filter(is_seen).collect();
    // Stable: equals stay in their order.
    tiles.sort_by_key(|tile| std::cmp::Reverse(tile.size));
    if tiles.is_empty() {
        return String::new();
    }
    let sizes: Vec<f64> = tiles.iter().map(|tile| tile.size as f64).collect();
    let boxes: String = tiles.iter().zip(squarified(&sizes)).map(|(tile, area)| draw(tile, &area)).collect();
    format!("<div class=\"treemap {class}\" role=\"img\" aria-label=\"{label}\">{boxes}</div>\n")
}

fn draw(tile: &Tile, area: &Area) -> String {
    let Area { left, top, width, height } = area;
    let is_named = *width >= LEAST_NAMED.0 && *height >= LEAST_NAMED.1;
    format!(
        "<i class=\"h{}\" style=\"left:{left:.2}%;top:{top:.2}%;width:{width:.2}%;height:{height:.2}%\" title=\"{}\">{}</i>",
        tile.shade.min(SHADES),
        tile.tip,
        if is_named { tile.name.as_str() } else { "" }
    )
}

/// A box, in percent of the whole.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Area {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

/// Lays out sizes, which are positive and descending, in a rectangle that is twice as wide as high.
fn squarified(sizes: &[f64]) -> Vec<Area> {
    let total: f64 = sizes.iter().sum();
    // In units in which the whole is `RATIO` wide, 1 high.
    let areas: Vec<f64> = sizes.iter().map(|size| size / total * RATIO).collect();
    let (mut left, mut top, mut width, mut height) = (0.0, 0.0, RATIO, 1.0);
    let mut out = Vec::with_capacity(areas.len());
    let mut rest = areas.as_slice();
    while !rest.is_empty() {
        let side = f64::min(width, height);
        let n = row_length(rest, side);
        let (row, after) = rest.split_at(n);
        let sum: f64 = row.iter().sum();
        let depth = sum / side;
        let mut along = 0.0;
        for area in row {
            let length = area / depth;
            let (x, y, w, h) = if width >= height {
                (left, top + along, depth, length)
            } else {
                (left + along, top, length, depth)
            };
            let percent = |value: f64, whole: f64| value / whole * 100.0;
            out.push(Area {
                left: percent(x, RATIO),
                top: percent(y, 1.0),
                width: percent(w, RATIO),
                height: percent(h, 1.0),
            });
            along += length;
        }
        if width >= height {
            left += depth;
            width -= depth;
        } else {
            top += depth;
            height -= depth;
        }
        rest = after;
    }
    out
}

/// Returns how many of the next boxes make the squarest row.
fn row_length(areas: &[f64], side: f64) -> usize {
    let worst = |row: &[f64]| {
        let sum: f64 = row.iter().sum();
        let (largest, smallest) = (row[0], row[row.len() - 1]);
        f64::max(side * side * largest / (sum * sum), sum * sum / (side * side * smallest))
    };
    let mut n = 1;
    while n < areas.len() && worst(&areas[..=n]) <= worst(&areas[..n]) {
        n += 1;
    }
    n
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_cover_the_whole_and_no_more() {
        for sizes in
            [vec![1.0], vec![6.0, 6.0, 4.0, 3.0, 2.0, 2.0, 1.0], (1..200).rev().map(f64::from).collect()]
        {
            let areas = squarified(&sizes);
            let total: f64 = sizes.iter().sum();
            for (area, size) in areas.iter().zip(&sizes) {
                assert!((area.width * area.height / 10_000.0 - size / total).abs() < 1e-9);
                assert!(area.left > -1e-6 && area.left + area.width < 100.0 + 1e-6, "{area:?}");
                assert!(area.top > -1e-6 && area.top + area.height < 100.0 + 1e-6, "{area:?}");
            }
        }
    }

    /// The worked example of the paper, figure 4: the first row of 6, 6, 4, 3, 2, 2, 1 on a 6 by 4 field is 6, 6.
    #[test]
    fn the_first_row_is_as_in_the_paper() {
        assert_eq!(row_length(&[6.0, 6.0, 4.0, 3.0, 2.0, 2.0, 1.0], 4.0), 2);
    }

    #[test]
    fn small_and_empty_things_are_harmless() {
        let tile = |size| Tile { size, name: "x".to_owned(), tip: "x".to_owned(), shade: 9 };
        assert_eq!(render("hot", "x", &[tile(0)]), "");
        let text = render("hot", "x", &[tile(u64::MAX), tile(1), tile(u64::MAX)]);
        assert!(!text.contains("NaN") && !text.contains("inf") && !text.contains("h9"));
    }
}
