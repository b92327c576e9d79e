/* Charts of the county dashboard. Reads the JSON of the page (governance/dashboard/charts.py), draws into [data-chart], and
   folds the table beside each chart away; without this file, or without ECharts, the tables stand open. */
(() => {
  const source = document.getElementById("dashboard-data");
  const boxes = [...document.querySelectorAll("[data-chart]")];

  // The list of periods goes by itself; its button is for pages without scripts.
  for (const select of document.querySelectorAll("select[data-submit]")) {
    const button = select.form.querySelector("button[type=submit]");
    if (button) button.hidden = true;
    select.addEventListener("change", () => select.form.submit());
  }

  if (!source || !boxes.length || !window.echarts) return;

  const data = JSON.parse(source.textContent);
  const words = data.words;
  const style = getComputedStyle(document.documentElement);
  const token = (name) => style.getPropertyValue(`--${name}`).trim();
  const ink = token("ink");
  const muted = token("muted");
  const line = token("line");
  const size = () => Math.round(parseFloat(style.fontSize) * 0.8667);

  const text = (extra = {}) => ({ color: ink, fontFamily: token("font"), fontSize: size(), ...extra });
  const base = () => ({
    animation: false,
    textStyle: text(),
    grid: { left: 4, right: 12, top: 40, bottom: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    legend: { top: 0, left: 0, itemGap: 16, icon: "inherit", textStyle: text() },
    // Drawn in the canvas: a tooltip of HTML would bring styles the policy of the page drops.
    tooltip: {
      trigger: "axis",
      renderMode: "richText",
      confine: true,
      backgroundColor: token("paper"),
      borderColor: token("line-strong"),
      textStyle: text(),
    },
  });
  const months = () => ({
    type: "category",
    data: data.trend.months,
    axisLabel: text({
      color: muted,
      interval: 0,
      hideOverlap: true,
      formatter: (name, index) => (chosen(index) ? `{chosen|${name}}` : name),
      rich: { chosen: text({ fontWeight: 700 }) },
    }),
    axisLine: { lineStyle: { color: token("line-strong") } },
    axisTick: { show: false },
  });
  const values = (extra = {}) => ({
    type: "value",
    axisLabel: text({ color: muted }),
    splitLine: { lineStyle: { color: line } },
    ...extra,
  });
  // The months of the page's period stand out: their names are bold, their bars darker.
  const [first, last] = data.trend.chosen;
  const chosen = (index) => index >= first && index <= last;

  const draw = {
    trend: () => ({
      ...base(),
      xAxis: months(),
      yAxis: values({ minInterval: 1 }),
      tooltip: {
        ...base().tooltip,
        formatter: (points) =>
          [
            data.trend.full[points[0].dataIndex],
            ...points.map((point) => `${point.seriesName} ${point.value ?? 0} ${words.pieces}`),
          ].join("\n"),
      },
      series: [
        {
          name: words.registered,
          type: "bar",
          data: data.trend.registered.map((value, index) => ({
            value,
            itemStyle: chosen(index) ? { color: token("action"), opacity: 0.55 } : undefined,
          })),
          barMaxWidth: 28,
          itemStyle: { color: token("blue-soft"), borderColor: token("action"), borderWidth: 1 },
        },
        {
          name: words.finished,
          type: "line",
          data: data.trend.finished,
          symbol: "circle",
          symbolSize: 7,
          lineStyle: { width: 2 },
          itemStyle: { color: token("clock-green") },
        },
      ],
    }),

    rates: () => {
      const looks = {
        response: ["action", "circle", "solid"],
        resolution: ["clock-green", "rect", "dashed"],
        satisfaction: ["clock-amber", "triangle", "dotted"],
      };
      const names = Object.keys(looks);
      return {
        ...base(),
        xAxis: months(),
        yAxis: values({
          max: 100,
          min: (range) => (Number.isFinite(range.min) ? Math.max(0, Math.floor((range.min - 5) / 10) * 10) : 0),
          axisLabel: text({ color: muted, formatter: "{value}%" }),
        }),
        tooltip: {
          ...base().tooltip,
          formatter: (points) =>
            [
              data.trend.full[points[0].dataIndex],
              ...points.map((point) => {
                const basis = data.trend.samples[names[point.seriesIndex]][point.dataIndex];
                const known = point.value !== undefined && point.value !== null && point.value !== "-";
                return `${point.seriesName} ${known ? `${point.value}%` : words.small}${basis ? `（${basis}）` : ""}`;
              }),
            ].join("\n"),
        },
        series: names.map((name) => {
          const [colour, symbol, type] = looks[name];
          return {
            name: words[name],
            type: "line",
            data: data.trend.rates[name],
            symbol,
            symbolSize: 8,
            lineStyle: { width: 2, type },
            itemStyle: { color: token(colour) },
          };
        }),
      };
    },

    mix: () => ({
      ...base(),
      grid: { ...base().grid, right: 48 },
      xAxis: values({ minInterval: 1 }),
      yAxis: {
        type: "category",
        data: data.mix.names,
        axisLabel: text(),
        axisLine: { lineStyle: { color: token("line-strong") } },
        axisTick: { show: false },
      },
      tooltip: { ...base().tooltip, axisPointer: { type: "shadow" } },
      series: [
        {
          name: words.registered,
          type: "bar",
          data: data.mix.registered,
          barMaxWidth: 14,
          itemStyle: { color: token("blue-soft"), borderColor: token("action"), borderWidth: 1 },
          label: { show: true, position: "right", ...text() },
        },
        {
          name: words.finished,
          type: "bar",
          data: data.mix.finished,
          barMaxWidth: 14,
          itemStyle: { color: token("clock-green") },
        },
      ],
    }),

    map: () => {
      const shade = ({ late, running }) => {
        if (!late) return token("green-soft");
        return token(late * 10 < running ? "amber-soft" : "red-soft");
      };
      // The border of a street is the ground its name stands on.
      const tile = ({ children, ...one }) => ({
        ...one,
        itemStyle: { color: shade(one), borderColor: token(children ? "grey-soft" : "line-strong") },
        ...(children ? { children: children.map(tile) } : {}),
      });
      const said = ({ data: one }, between) => `${words.registered} ${one.value}${between}${words.late} ${one.late}`;
      return {
        ...base(),
        legend: undefined,
        tooltip: { ...base().tooltip, trigger: "item", formatter: (point) => `${point.name}\n${said(point, " · ")}` },
        series: [
          {
            type: "treemap",
            data: data.map.map(tile),
            left: 0,
            right: 0,
            top: 0,
            bottom: 0,
            roam: false,
            nodeClick: false,
            breadcrumb: { show: false },
            label: { ...text({ lineHeight: Math.round(size() * 1.5) }), formatter: (point) => `${point.name}\n${said(point, "\n")}`, overflow: "truncate" },
            upperLabel: {
              show: true,
              height: Math.round(size() * 2.2),
              ...text({ fontWeight: 600 }),
              formatter: (point) => (point.data?.name ? `${point.name}　${said(point, " · ")}` : ""),
            },
            itemStyle: { gapWidth: 2 },
            levels: [
              { itemStyle: { borderWidth: 0, gapWidth: 6 }, upperLabel: { show: false } },
              { itemStyle: { borderWidth: 2, gapWidth: 2 } },
              { itemStyle: { borderWidth: 1 } },
            ],
          },
        ],
      };
    },
  };

  const address = {
    mix: (point) => data.mix.urls[point.dataIndex],
    map: (point) => point.data?.url,
  };

  const charts = boxes.map((box) => {
    const kind = box.dataset.chart;
    const table = document.getElementById(box.dataset.table);
    box.hidden = false;
    // A section that is nothing without its chart.
    const section = box.closest("[data-charted]");
    if (section) section.hidden = false;
    if (table instanceof HTMLDetailsElement) table.open = false;
    const chart = window.echarts.init(box, null, { renderer: "canvas" });
    chart.setOption(draw[kind]());
    chart.on("click", (point) => {
      const to = address[kind]?.(point);
      if (to) location.assign(to);
    });
    new ResizeObserver(() => chart.resize()).observe(box);
    return chart;
  });

  // Paper has a width of its own, and no time to wait for an observer.
  window.addEventListener("beforeprint", () => charts.forEach((chart) => chart.resize()));
  window.addEventListener("afterprint", () => charts.forEach((chart) => chart.resize()));
})();
