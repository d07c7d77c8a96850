/** Charts as large as their elements, from the start: a range that is set before a chart has a size is lost. */

interface Sized {
  resize(width: number, height: number): void;
}

export function sizeOf(box: HTMLElement): { width: number; height: number } {
  return { width: box.clientWidth, height: box.clientHeight };
}

/**
 * Keep a chart as large as its element; `first` runs in the frame after it has got its first size, and once more in the
 * next, when its axes are as wide as their labels.
 */
export function follow(box: HTMLElement, chart: Sized, first: () => void): void {
  let waits = true;
  new ResizeObserver(() => {
    const { width, height } = sizeOf(box);
    if (!width) return;
    chart.resize(width, height);
    if (waits) {
      requestAnimationFrame(() => {
        first();
        requestAnimationFrame(first);
      });
    }
    waits = false;
  }).observe(box);
}
