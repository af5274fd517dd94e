package org.loranative.model.weights;

/** In which order a file has the rows of a tensor, or its columns. */
public sealed interface Order {
  Order SAME = new Same();

  /** Where the file has what is our {@code i}-th. */
  long inFile(long i);

  /** Which of ours the file's {@code i}-th is. */
  long ours(long i);

  /** How many at least, from our {@code i}-th on, stand one behind the other in the file too. */
  default long together(long i) {
    return 1;
  }

  /** Whether numbers that a block of so many holds stay together. */
  default boolean keepsBlocks(long size) {
    return false;
  }

  default boolean isSame() {
    return false;
  }

  /** The same seen from the file: what is ours is its. */
  default Order back() {
    return new Back(this);
  }

  /** Numbers of a row of the file in our order. */
  default float[] inOrder(float[] row) {
    if (isSame()) {
      return row;
    }
    float[] ours = new float[row.length];
    for (int i = 0; i < row.length; i++) {
      ours[i] = row[(int) inFile(i)];
    }
    return ours;
  }

  /** As it is. */
  record Same() implements Order {
    @Override
    public long inFile(long i) {
      return i;
    }

    @Override
    public long ours(long i) {
      return i;
    }

    @Override
    public long together(long i) {
      return Long.MAX_VALUE;
    }

    @Override
    public boolean keepsBlocks(long size) {
      return true;
    }

    @Override
    public boolean isSame() {
      return true;
    }

    @Override
    public Order back() {
      return this;
    }
  }

  /**
   * Heads whose two rotary halves the file interleaves: its row 2j + s of a head is row s·half + j
   * of ours.
   *
   * @param width rows of a head
   */
  record Interleaved(long width) implements Order {
    @Override
    public long inFile(long i) {
      long inHead = i % width;
      return i - inHead + inHead % (width / 2) * 2 + inHead / (width / 2);
    }

    @Override
    public long ours(long i) {
      long inHead = i % width;
      return i - inHead + inHead % 2 * (width / 2) + inHead / 2;
    }
  }

  /**
   * Heads of several groups: ours stand group behind group, the file's in turns of one of each
   * group.
   *
   * @param first of them; what is before stays
   * @param groups of heads
   * @param each heads of a group
   * @param width of a head
   */
  record Tiled(long first, long groups, long each, long width) implements Order {
    @Override
    public long inFile(long i) {
      return turned(i, groups, each);
    }

    @Override
    public long ours(long i) {
      return turned(i, each, groups);
    }

    /** From heads [outer, inner] to [inner, outer]. */
    private long turned(long i, long outer, long inner) {
      if (i < first) {
        return i;
      }
      long head = (i - first) / width;
      return first + (head % inner * outer + head / inner) * width + (i - first) % width;
    }

    @Override
    public long together(long i) {
      return i < first ? first - i : width - (i - first) % width;
    }

    @Override
    public boolean keepsBlocks(long size) {
      return first % size == 0 && width % size == 0;
    }
  }

  /** Seen from the other side. */
  record Back(Order order) implements Order {
    @Override
    public long inFile(long i) {
      return order.ours(i);
    }

    @Override
    public long ours(long i) {
      return order.inFile(i);
    }
  }
}
