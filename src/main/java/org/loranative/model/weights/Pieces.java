package org.loranative.model.weights;

import java.nio.ByteBuffer;
import org.loranative.io.DType;
import org.loranative.io.TensorEntry;

/** A tensor that its checkpoint keeps in several, which are put together as it is read. */
interface Pieces {
  /** The whole as one tensor: where its numbers' bits lie, with the matrix's shape. */
  TensorEntry entry();

  /** What they are put together as. */
  DType type();

  /** Puts them together, from the buffer's beginning on. */
  void assemble(ByteBuffer to);

  /** Whether merging leaves them as they lie, since nothing that is written holds the whole. */
  boolean stay();

  /** Whether a tensor of the checkpoint is one of them, beside the bits. */
  boolean holds(String name);
}
