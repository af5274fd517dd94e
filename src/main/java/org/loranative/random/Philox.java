package org.loranative.random;

/**
 * Philox4x32-10 (Salmon et al. 2011): a random word is a function of key and counter, so a draw is
 * named by what it is for and never depends on what was drawn before. Key = seed; counter =
 * (element / 4, stream, step, micro-step); lane = element mod 4. {@code common/philox.h} is its
 * twin; both pass {@code philox.txt}.
 */
public final class Philox {
  /** Named streams. Dropout of module i uses {@code DROPOUT + i}. */
  public static final int DATA_ORDER = 1;

  public static final int NOISE = 2;
  public static final int TIMESTEP = 3;
  public static final int LORA_INIT = 4;
  public static final int SAMPLING = 5;
  public static final int VALIDATION_SPLIT = 6;
  public static final int POSTERIOR = 7;
  public static final int NOISE_OFFSET = 8;
  public static final int CROP = 9;
  public static final int VARIANT = 10;
  public static final int CAPTION = 11;
  public static final int NEW_ROWS = 12;

  /** Coarser layers of noise; layer l of image i adds 64 i + l. */
  public static final int NOISE_LAYERS = 1 << 12;

  public static final int DROPOUT = 1 << 16;

  private Philox() {}

  /** The four words of a counter. */
  public static int[] words(long key, int c0, int c1, int c2, int c3) {
    int k0 = (int) key;
    int k1 = (int) (key >>> 32);
    for (int round = 0; round < 10; round++) {
      long p0 = 0xD2511F53L * Integer.toUnsignedLong(c0);
      long p1 = 0xCD9E8D57L * Integer.toUnsignedLong(c2);
      int n0 = (int) (p1 >>> 32) ^ c1 ^ k0;
      int n2 = (int) (p0 >>> 32) ^ c3 ^ k1;
      c1 = (int) p1;
      c3 = (int) p0;
      c0 = n0;
      c2 = n2;
      k0 += 0x9E3779B9;
      k1 += 0xBB67AE85;
    }
    return new int[] {c0, c1, c2, c3};
  }

  /** A word as a float in [0, 1), 24 bits of it. */
  public static float uniform(int word) {
    return (word >>> 8) * (1.0f / 16777216.0f);
  }

  /**
   * Standard normal numbers (Box and Muller 1958) for the elements 0 … n−1 of a stream and step.
   */
  public static float[] normals(int n, long seed, int stream, int step, int microStep) {
    float[] x = new float[n];
    for (int i = 0; i < n; i += 4) {
      int[] words = words(seed, i / 4, stream, step, microStep);
      for (int j = 0; j < 4 && i + j < n; j++) {
        // A pair of words gives a pair of numbers; the first is moved off 0, where log has none.
        double radius = Math.sqrt(-2 * Math.log((words[j & 2] >>> 8) * 0x1p-24 + 0x1p-25));
        double angle = 2 * Math.PI * (words[(j & 2) + 1] >>> 8) * 0x1p-24;
        x[i + j] = (float) (radius * (j % 2 == 0 ? Math.cos(angle) : Math.sin(angle)));
      }
    }
    return x;
  }

  /** A permutation of 0 … n−1 (Fisher–Yates), the same for the same seed, stream and step. */
  public static int[] permutation(int n, long seed, int stream, int step) {
    int[] order = new int[n];
    for (int i = 0; i < n; i++) {
      order[i] = i;
    }
    for (int i = n - 1; i > 0; i--) {
      int[] words = words(seed, i, stream, step, 0);
      long word = Integer.toUnsignedLong(words[0]) | (words[1] & 0x7fffffffL) << 32;
      int j = (int) (word % (i + 1));
      int swap = order[i];
      order[i] = order[j];
      order[j] = swap;
    }
    return order;
  }
}
