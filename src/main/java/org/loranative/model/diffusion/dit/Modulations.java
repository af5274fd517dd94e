package org.loranative.model.diffusion.dit;

/** Where the blocks of a {@link RotaryTransformer} get their modulations from. */
public interface Modulations {
  /** Six parts for the image's tokens in a block of two streams. */
  Modulation image(int block, String path);

  /** Six for the text's. */
  Modulation text(int block, String path);

  /** Three in a block of one stream. */
  Modulation single(int block, String path);

  /** The norm behind the last block, shifted and scaled. */
  Modulation out(String path);
}
