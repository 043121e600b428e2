/* The picture of the lineage explorer: lanes coloured by score, exploits, a line of descent.

   A view has `data`, the members that are `shown`, their `rows`, the `width` in pixels, the `end`
   in iterations, what is `selected`, and where things are: `x(iteration)`, `y(member)`. */

(function () {
  "use strict";

  const LANE = 14;
  const SHADES = 9;
  const CROWD = 400; // of so many exploits single ones are not told apart
  const { svg, ancestry } = window.envolve.lineageParts;

  function ticks(view) {
    const about = Math.max(1, Math.floor(view.width / 80));
    const raw = view.end / about;
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = Math.max(1, [1, 2, 5, 10].map((each) => each * power).find((s) => s >= raw));
    const found = [];
    for (let at = 0; at <= view.end; at += step) {
      const anchor = at === 0 ? "start" : "middle";
      found.push(svg("text", { x: view.x(at), y: 16, "text-anchor": anchor }, at));
    }
    return found;
  }

  /** All cells of one shade are one path: there may be 40,000 of them. */
  function lanes(view) {
    const paths = Array.from({ length: SHADES }, () => []);
    const unknown = [];
    const [low, high] = view.data.range || [0, 0];
    for (const each of view.shown) {
      const top = view.y(each.member) - LANE / 2;
      let before = 0;
      view.data.stops.forEach((at, stop) => {
        if (at > each.end) return;
        const score = each.scores[stop];
        if (score === null && at !== each.end) return;
        const cell = `M${view.x(before).toFixed(1)} ${top}H${view.x(at).toFixed(1)}v${LANE}H${view.x(before).toFixed(1)}z`;
        if (score === null) unknown.push(cell);
        else {
          const share = high > low ? (score - low) / (high - low) : 1;
          paths[Math.min(Math.floor(share * SHADES), SHADES - 1)].push(cell);
        }
        before = at;
      });
    }
    return [
      svg("path", { class: "lineage-lane lineage-unknown", d: unknown.join("") }),
      ...paths.map((cells, shade) =>
        svg("path", { class: `lineage-lane lineage-shade-${shade}`, d: cells.join("") }),
      ),
    ];
  }

  function branches(view) {
    const lines = [];
    const marks = [];
    const count = view.shown.reduce((sum, each) => sum + each.copies.length, 0);
    const crowded = count > CROWD ? " lineage-crowded" : "";
    for (const each of view.shown) {
      for (const [at, donor, donorAt] of each.copies) {
        const [x, y] = [view.x(at), view.y(each.member)];
        marks.push(crowded ? `M${x - 2} ${y + 10}h4l-2 -5z` : `M${x - 4} ${y + 4}h8l-4 -8z`);
        if (view.rows.has(donor)) {
          const from = view.y(donor);
          lines.push(`M${view.x(donorAt)} ${from}L${x} ${y}`);
        }
      }
    }
    return [
      svg("path", { class: `lineage-branches${crowded}`, d: lines.join("") }),
      svg("path", { class: `lineage-copies${crowded}`, d: marks.join("") }),
    ];
  }

  /** The way that the selected weights took. */
  function lineOfDescent(view) {
    if (view.selected === null) return [];
    const { member, stop } = view.selected;
    const segments = ancestry(view.byMember, member, view.data.stops[stop]);
    const points = segments
      .filter((each) => view.rows.has(each.member))
      .map((each) => {
        const y = view.y(each.member);
        return `${view.x(each.from)} ${y}L${view.x(each.to)} ${y}`;
      });
    const d = points.length ? `M${points.join("L")}` : "";
    return [
      svg("path", { class: "lineage-descent-rim", d }),
      svg("path", { class: "lineage-descent", d }),
    ];
  }

  window.envolve.lineagePicture = { LANE, SHADES, ticks, lanes, branches, lineOfDescent };
})();
