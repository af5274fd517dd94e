package org.loranative.train;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** What is left for a plan beside Java. */
class RoomTest {
  private static final long MB = 1_000_000;

  /** A collector waits as long as it may; where that ends the process, its heap counts whole. */
  @Test
  void leavesRoomForAllThatJavaMayTakeUnderAStrictLimit() {
    JavaHeap heap = new JavaHeap(60 * MB, 500 * MB, 80 * MB, 30 * MB);
    assertThat(Room.onHost(2000 * MB, "what the limit leaves", true, heap).bytes())
        .isEqualTo((2000 - 470 - 100) * MB);
    assertThat(Room.onHost(1000 * MB, "what the limit leaves", true, heap).name())
        .isEqualTo(
            "what the limit leaves, 1.00 GB, without 470.0 MB for Java's heap (java -Xmx121m …"
                + " bounds it) and 100.0 MB for libraries");
    assertThat(Room.onHost(400 * MB, "what the limit leaves", true, heap).bytes()).isZero();
    Room likely = Room.onHost(1000 * MB, "the free memory", false, heap);
    assertThat(likely.bytes()).as("twice what it needs").isEqualTo((1000 - 90 - 100) * MB);
    assertThat(Room.onHost(8000 * MB, "the free memory", false, heap))
        .isEqualTo(new Room(7200 * MB, "the free memory (of which a run takes 90 %)"));
  }

  /** What Java has reserved is not taken yet. */
  @Test
  void countsWhatIsReservedAndNotYetUsed() {
    JavaHeap heap = new JavaHeap(60 * MB, 6000 * MB, 370 * MB, 30 * MB);
    assertThat(heap.toCome(false)).isEqualTo(340 * MB);
  }
}
