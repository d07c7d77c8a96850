/** Where there is little room, controls fold into a sheet that is opened and closed; page.css lays it out. */

import { click, element } from "./view";

const LITTLE_ROOM = "(max-width: 700px), (max-height: 500px)"; // as page.css

export function foldControls(): void {
  const [sheet, button, bar] = ["controls", "more", "bar"].map((id) => element(id));
  const open = (opened: boolean) => {
    sheet.toggleAttribute("data-open", opened);
    button.setAttribute("aria-expanded", String(opened));
    button.textContent = opened ? "Less" : "More";
    button.ariaLabel = `${button.textContent} controls`;
    if (opened) window.dispatchEvent(new Event("resize")); // the colour bar has a width from now on
  };
  click("more", () => open(!sheet.hasAttribute("data-open")));
  document.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape" || !sheet.hasAttribute("data-open")) return;
    open(false);
    button.focus();
  });
  for (const id of ["chart", "map"]) element(id).addEventListener("pointerdown", () => open(false));
  const little = matchMedia(LITTLE_ROOM);
  const place = () => {
    if (little.matches) sheet.append(bar);
    else element("stage").after(bar);
    open(false);
  };
  // Below a chart that has the screen, a table that is opened would not be seen.
  for (const table of document.querySelectorAll("details")) {
    table.addEventListener("toggle", () => table.open && little.matches && table.scrollIntoView({ block: "start" }));
  }
  // What stands above the chart leaves it the rest of the screen.
  const above = () => document.documentElement.style.setProperty("--above", `${element("stage").offsetTop}px`);
  new ResizeObserver(above).observe(document.querySelector("header")!);
  little.addEventListener("change", place);
  place();
}
