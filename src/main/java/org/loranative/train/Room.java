package org.loranative.train;

import org.loranative.device.Device;

/**
 * Memory that the plan of a run without {@code memory_budget} may take: what is free, without a
 * tenth or without what Java's heap and the libraries will still take, whichever is more.
 *
 * @param name what it is, for people
 */
public record Room(long bytes, String name) {
  /** Share of the free memory that a run takes. */
  private static final double SHARE = 0.9;

  /** What oneDNN and the JVM will take on the CPU beside the plan and Java's heap. */
  public static final long LIBRARIES = 100_000_000;

  public static Room of(Device device, JavaHeap heap) {
    long free = device.freeBytes();
    return device.readsHostMemory()
        ? onHost(free, device.freeLimit(), device.freeIsStrict(), heap)
        : new Room((long) (free * SHARE), device.freeLimit() + " (of which a run takes 90 %)");
  }

  /**
   * @param strict whether whoever takes more than {@code free} is ended
   */
  static Room onHost(long free, String limit, boolean strict, JavaHeap heap) {
    long java = heap.toCome(strict);
    long share = (long) (free * SHARE);
    long left = Math.max(0, free - java - LIBRARIES);
    return share <= left
        ? new Room(share, limit + " (of which a run takes 90 %)")
        : new Room(
            left,
            String.format(
                "%s, %s, without %s for Java's heap%s and %s for libraries",
                limit,
                MemoryPlan.size(free),
                MemoryPlan.size(java),
                heap.isGenerous() ? " (java " + heap.option() + " … bounds it)" : "",
                MemoryPlan.size(LIBRARIES)));
  }
}
