import type { BrowserTabs } from '../store/browser-tabs';
import type { Point } from './plan';

/** The points of a sweep that this tab trains: no other tab trains them at the same time. */
export class PointLocks {
  private held: (() => void)[] = [];

  constructor(
    private readonly tabs: BrowserTabs,
    /** Key of the sweep. */
    private readonly sweep: string,
  ) {}

  /** Those of the points that no other tab has; they are this tab's until `release`, or until it is gone. */
  async take(points: readonly Point[]): Promise<Point[]> {
    const releases = await Promise.all(points.map((point) => this.tabs.hold(this.nameOf(point))));
    this.held.push(...releases.filter((release) => release !== null));
    return points.filter((_, index) => releases[index] !== null);
  }

  release(): void {
    for (const release of this.held.splice(0)) release();
  }

  private nameOf({ method, value, lr, repeat }: Point): string {
    return `sweep ${method} ${value} ${lr} ${repeat} ${this.sweep}`;
  }
}
