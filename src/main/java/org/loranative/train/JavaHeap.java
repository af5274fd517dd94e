package org.loranative.train;

import org.loranative.UserException;
import org.loranative.lora.AdapterState;
import org.loranative.lora.Adapters;

/**
 * What a run keeps on Java's heap, which is no part of the plan: copies of the adapter while it is
 * saved, encoded images and captions.
 *
 * @param needed bytes at the run's worst moment
 * @param most bytes that the heap may have
 * @param held bytes that it has taken from the system
 */
record JavaHeap(long needed, long most, long held) {
  /** A checkpoint or an export, counted in adapters: their numbers, by layer, and as bytes. */
  private static final int COPIES = 5;

  /** Log lines, curves, a batch's own numbers. */
  private static final long SMALL_THINGS = 32 << 20;

  static JavaHeap of(Adapters adapters, long encoded) {
    long needed = used() + COPIES * AdapterState.bytes(adapters) + encoded + SMALL_THINGS;
    Runtime java = Runtime.getRuntime();
    return new JavaHeap(needed, java.maxMemory(), java.totalMemory());
  }

  private static long used() {
    Runtime java = Runtime.getRuntime();
    System.gc(); // what planning left behind is not needed any more
    return java.totalMemory() - java.freeMemory();
  }

  /** Bytes that it will still take from the system. */
  long toCome() {
    return Math.max(0, needed - held);
  }

  /**
   * @throws UserException if the run would end for want of it, perhaps at its first checkpoint
   */
  void require() {
    if (needed > most) {
      throw new UserException(
          String.format(
              "The run needs some %s of Java's heap, which may have %s: start it with java -Xmx%dm"
                  + " -jar lora-native.jar …, or with a lower lora_rank or fewer lora_targets.",
              MemoryPlan.size(needed), MemoryPlan.size(most), (needed >> 20) + 64));
    }
  }
}
