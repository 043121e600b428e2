/* Charts: drawn when they come into view, in the colours of the page, each with its data. */
"use strict";

(() => {
  const coarse = matchMedia("(pointer: coarse)").matches;
  const CONFIG = {
    responsive: true,
    displaylogo: false,
    displayModeBar: coarse ? false : "hover",
    modeBarButtons: [["toImage"], ["zoom2d", "pan2d"], ["resetScale2d"]],
    showSendToCloud: false, // Plotly's default is to offer it.
    plotlyServerURL: "",
  };
  const drawn = new Set();

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  }

  /** What of a layout is the page's: colours and type. */
  function themed() {
    const axis = {
      gridcolor: colour("grid"),
      linecolor: colour("rule"),
      zerolinecolor: colour("rule"),
      tickcolor: colour("rule"),
    };
    const clear = "rgba(0,0,0,0)";
    return {
      paper_bgcolor: clear,
      plot_bgcolor: clear,
      font: { color: colour("text"), family: getComputedStyle(document.body).fontFamily, size: 12 },
      xaxis: axis,
      yaxis: axis,
      hoverlabel: {
        bgcolor: colour("raised"),
        bordercolor: colour("rule"),
        font: { color: colour("text") },
      },
      modebar: {
        bgcolor: clear,
        color: colour("muted"),
        activecolor: colour("text"),
        orientation: "h",
      },
      legend: { bgcolor: clear },
    };
  }

  function draw(card, chart) {
    const plot = card.querySelector(".plot");
    const layout = { ...chart.figure.layout, template: { layout: themed() } };
    if (coarse) layout.dragmode = false; // A finger scrolls the page.
    Plotly.newPlot(plot, chart.figure.data, layout, CONFIG).then(() => {
      drawn.add(plot);
      name(plot, chart);
      plot.on("plotly_afterplot", () => name(plot, chart));
    });
  }

  /** Tell a screen reader what the picture is; its caption and its table say the rest. */
  function name(plot, chart) {
    plot.querySelectorAll("svg.main-svg").forEach((svg, place) => {
      if (place > 0) {
        svg.setAttribute("aria-hidden", "true");
        return;
      }
      svg.setAttribute("role", "img");
      svg.setAttribute("aria-label", `Chart: ${chart.title}`);
    });
  }

  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  function control(plot, choice, id) {
    const select = element("select", { id });
    choice.options.forEach((option, place) => {
      select.append(element("option", { value: place }, option.label));
    });
    select.addEventListener("change", () => {
      const { data, layout } = choice.options[select.value];
      Plotly.update(plot, data, layout);
    });
    return element("p", { class: "control" }, element("label", { for: id }, choice.label), select);
  }

  function said(value) {
    if (value === null || value === undefined) return "–";
    if (typeof value === "number") return String(Number(value.toPrecision(6)));
    return typeof value === "string" ? value : JSON.stringify(value);
  }

  function row(values) {
    const cells = values.map((value) => {
      const number = typeof value === "number" || value === null;
      return element("td", number ? { class: "number" } : {}, said(value));
    });
    return element("tr", {}, ...cells);
  }

  function table({ columns, rows }, title) {
    const numbers = columns.map((_, at) => rows.some((each) => typeof each[at] === "number"));
    const head = columns.map((column, at) =>
      element("th", numbers[at] ? { scope: "col", class: "number" } : { scope: "col" }, column),
    );
    const whole = element(
      "table",
      {},
      element("caption", {}, `${title}: ${rows.length} rows`),
      element("thead", {}, element("tr", {}, ...head)),
      element("tbody", {}, ...rows.map(row)),
    );
    return element(
      "div",
      { class: "scroll", tabindex: 0, role: "group", "aria-label": `Data of ${title}` },
      whole,
    );
  }

  function data(chart) {
    const details = element("details", {}, element("summary", {}, "Data as a table"));
    details.firstChild.append(element("span", { class: "unseen" }, `: ${chart.title}`));
    details.addEventListener("toggle", () => details.append(table(chart.table, chart.title)), {
      once: true,
    });
    return details;
  }

  function card(chart, heading) {
    const title = element(heading, { id: `${chart.id}-title` }, chart.title);
    const plot = element("div", { class: "plot" });
    plot.style.minHeight = `${chart.figure.layout.height || 360}px`;
    const controls = (chart.controls || []).map((choice, place) =>
      control(plot, choice, `${chart.id}-control-${place}`),
    );
    return element(
      "figure",
      { class: "chart", id: chart.id, "aria-labelledby": title.id },
      title,
      ...controls,
      plot,
      element("figcaption", {}, chart.caption),
      data(chart),
    );
  }

  /** Put charts into `root`; they are drawn when they come near the screen. */
  envolve.charts = (root, charts, heading) => {
    for (const chart of charts) {
      const made = card(chart, heading);
      root.append(made);
      envolve.whenSeen(made, () => draw(made, chart));
    }
  };

  document.addEventListener("envolve-theme", () => {
    for (const plot of drawn) Plotly.relayout(plot, { template: { layout: themed() } });
  });
})();
