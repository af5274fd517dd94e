package org.loranative.graph.ops;

import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Addresses;
import org.loranative.graph.Grads;
import org.loranative.graph.Graph;
import org.loranative.graph.Op;
import org.loranative.graph.Out;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.io.DType;

/**
 * Sines and cosines of each number of t [B·n] f32 at {@code dim} / 2 frequencies: y [B, n·dim]
 * (diffusers' get_timestep_embedding).
 *
 * @param cosineFirst flip_sin_to_cos
 * @param shift freq_shift
 */
public record TimestepEmbedding(Value t, @Out Value y, boolean cosineFirst, float shift)
    implements Op {
  /** One number for each row. */
  public static Value of(
      Graph g, Value t, long dim, boolean cosineFirst, float shift, DType dtype) {
    return of(g, t, 1, dim, cosineFirst, shift, dtype);
  }

  /**
   * @param perRow n
   */
  public static Value of(
      Graph g, Value t, long perRow, long dim, boolean cosineFirst, float shift, DType dtype) {
    Value y =
        g.temp("timestep_embedding", dtype, Shape.of(t.shape().size() / perRow, perRow * dim));
    g.add(new TimestepEmbedding(t, y, cosineFirst, shift));
    return y;
  }

  @Override
  public boolean isCheap() {
    return true;
  }

  @Override
  public void backward(Grads g) {
    throw new IllegalStateException("nothing learns timesteps");
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_timestep_embedding_fwd(
            d.handle(),
            at.of(t),
            at.of(y),
            t.shape().size(),
            y.shape().size() / t.shape().size(),
            cosineFirst ? 1 : 0,
            shift,
            y.dtype().code));
  }
}
