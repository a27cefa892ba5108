// Small makers of elements. Text only ever goes in as text, so no name can become markup.

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  overdue: "M12 3 22 20H2Z M12 9v5 M12 16.6v.4",
  risk: "M12 3a9 9 0 1 0 .01 0 M12 7v5l3.5 2",
  late: "M12 3a9 9 0 1 0 .01 0 M12 7v6 M12 16v.6",
  old: "M9 6v12 M15 6v12",
};

export function element(tag, className = "", ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setState(node, state) {
  if (node.dataset.state !== state) node.dataset.state = state;
}
