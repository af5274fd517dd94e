package org.loranative.train;

import org.loranative.UserException;
import org.loranative.lora.Adapters;

/**
 * What a run keeps on Java's heap, which is no part of the plan: copies of low-rank adapters while
 * they are saved, encoded images and captions.
 *
 * @param needed bytes at the run's worst moment
 * @param most bytes that the heap may have
 * @param held bytes that it has reserved so far, used or not
 * @param used bytes that are in use
 */
public record JavaHeap(long needed, long most, long held, long used) {
  /** A checkpoint or an export, counted in adapters: their numbers, by layer, and as bytes. */
  private static final int COPIES = 5;

  /** What a heap of the size that is advised has beyond what is needed. */
  private static final long SPARE = 64 << 20;

  /** What is not needed any more stays until the collector comes. */
  private static final int GARBAGE = 2;

  /** Log lines, curves, a batch's own numbers. */
  private static final long SMALL_THINGS = 32 << 20;

  public static JavaHeap of(Adapters adapters, long encoded) {
    long used = inUse();
    long needed = used + COPIES * inMemory(adapters) + encoded + SMALL_THINGS;
    Runtime java = Runtime.getRuntime();
    return new JavaHeap(needed, java.maxMemory(), java.totalMemory(), used);
  }

  /** Bytes of the layers' numbers; weights trained as a whole are moved in pieces. */
  private static long inMemory(Adapters adapters) {
    return adapters.modules().stream()
        .filter(m -> !m.spec().method().replaces())
        .flatMap(m -> m.parts().stream())
        .mapToLong(p -> p.part().size() * Float.BYTES)
        .sum();
  }

  private static long inUse() {
    Runtime java = Runtime.getRuntime();
    System.gc(); // what planning left behind is not needed any more
    return java.totalMemory() - java.freeMemory();
  }

  /**
   * Bytes that it will still take from the system. Memory that it has reserved is taken only when
   * it is first used.
   *
   * @param strict what it may take in place of what is likely
   */
  long toCome(boolean strict) {
    long likely = Math.max(held, Math.min(most, GARBAGE * needed));
    return Math.max(0, (strict ? most : likely) - used);
  }

  /** The option of Java that gives it what it needs and little more. */
  String option() {
    return String.format("-Xmx%dm", (needed + SPARE) >> 20);
  }

  /** Whether that would be less than it may have. */
  boolean isGenerous() {
    return most > needed + SPARE;
  }

  /**
   * @throws UserException if the run would end for want of it, perhaps at its first checkpoint
   */
  public void require() {
    if (needed > most) {
      throw new UserException(
          String.format(
              "The run needs some %s of Java's heap, which may have %s: start it with java %s"
                  + " -jar lora-native.jar …, or with a lower lora_rank or fewer lora_targets.",
              MemoryPlan.size(needed), MemoryPlan.size(most), option()));
    }
  }
}
