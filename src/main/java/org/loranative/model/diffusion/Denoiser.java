package org.loranative.model.diffusion;

import java.util.List;
import java.util.Map;
import org.loranative.graph.Value;
import org.loranative.model.Net;

/** The network that predicts, and what it must be told. */
public interface Denoiser {

  /** The name of this part: its tensors' and layers' paths begin with it and a dot. */
  String part();

  /** Height and width of the latents that it was made for. */
  List<Integer> sampleSize();

  /** Latents' least height and width. */
  int leastSide();

  /** What latents' heights and widths must be multiples of. */
  int step();

  /** Whether it is far smaller than any of its family that people use. */
  boolean isSmall();

  /**
   * The prediction [B·h·w, channels].
   *
   * @param timesteps [B] f32
   * @param conditions of the texts, by name
   * @param keys rows of those that have one for each token
   */
  Value predict(
      Net net, Features latents, Value timesteps, Map<String, Value> conditions, long keys);

  /**
   * What it is told of an image beside its text: further inputs, by name, each [B·n] f32.
   *
   * @param guidance see {@link Guidance#TOLD}
   */
  Map<String, float[]> told(Framing framing, double guidance);
}
