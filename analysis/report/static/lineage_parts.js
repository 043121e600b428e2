/* What the lineage explorer is made of: elements, words, and who came from whom. */

window.envolve = window.envolve || {};

(function () {
  "use strict";

  const SVG = "http://www.w3.org/2000/svg";

  // ---- elements

  function html(tag, attributes = {}, ...children) {
    return filled(document.createElement(tag), attributes, children);
  }

  function svg(tag, attributes = {}, ...children) {
    return filled(document.createElementNS(SVG, tag), attributes, children);
  }

  function filled(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== null && value !== undefined) element.setAttribute(name, String(value));
    }
    element.append(...children.map((child) => (child instanceof Node ? child : String(child))));
    return element;
  }

  // ---- words

  function short(value) {
    if (value === null || value === undefined) return "–";
    if (typeof value !== "number") return JSON.stringify(value);
    if (value === 0 || (Number.isInteger(value) && Math.abs(value) < 1e6)) return String(value);
    const rounded = Number(value.toPrecision(3));
    const size = Math.abs(rounded);
    return size >= 1e-3 && size < 1e6 ? String(rounded) : rounded.toExponential();
  }

  function named(value) {
    return typeof value === "string" ? value : short(value);
  }

  function ordinal(number) {
    const tens = number % 100;
    const suffix = tens > 10 && tens < 14 ? "th" : ["th", "st", "nd", "rd"][number % 10] || "th";
    return number + suffix;
  }

  function counted(number, word) {
    return `${number} ${word}${number === 1 ? "" : "s"}`;
  }

  function percent(share) {
    return share > 0 && share < 0.005 ? "<1%" : `${Math.round(100 * share)}%`;
  }

  // ---- the population's history

  /** What is in force at the end of iteration `until`, of rows [iteration, ...] that are changes. */
  function held(rows, until) {
    let found = null;
    for (const row of rows) {
      if (found !== null && row[0] >= until) break;
      found = row;
    }
    return found;
  }

  /** The stretches of training that made a member's weights as of `until`, oldest first. */
  function ancestry(byMember, member, until) {
    const found = [];
    const seen = new Set();
    while (byMember.has(member) && !seen.has(`${member} ${until}`)) {
      seen.add(`${member} ${until}`);
      const copies = byMember.get(member).copies.filter((copy) => copy[0] < until);
      const copied = copies[copies.length - 1];
      found.unshift({ member, from: copied ? copied[0] : 0, to: until });
      if (!copied) break;
      [, member, until] = copied;
    }
    return found;
  }

  /** Its place among the members that were scored at a stop, and how many these are. */
  function rank(data, stop, score) {
    const scores = data.members.map((each) => each.scores[stop]).filter((each) => each !== null);
    return { place: 1 + scores.filter((each) => each > score).length, of: scores.length };
  }

  function lastScore(member) {
    const scores = member.scores.filter((score) => score !== null);
    return scores.length ? scores[scores.length - 1] : null;
  }

  /** What an exploit does; a member that copies itself has other hyperparameters then. */
  function copies(member, donor) {
    return donor === member ? "goes on with other hyperparameters" : `copies m${donor}`;
  }

  /** How a member did at a stop, in words. */
  function standing(data, { member, stop }) {
    const each = data.members.find((one) => one.member === member);
    const score = each.scores[stop];
    const copied = each.copies.find((copy) => copy[0] === data.stops[stop]);
    const then = copied ? `; then ${copies(member, copied[1])}` : "";
    if (score === null) return `no score${then}`;
    const { place, of } = rank(data, stop, score);
    return `score ${short(score)}, ${ordinal(place)} of ${of}${then}`;
  }

  window.envolve.lineageParts = {
    html, svg, short, named, counted, percent, held, ancestry, lastScore, copies,
    standing,
  };
})();
