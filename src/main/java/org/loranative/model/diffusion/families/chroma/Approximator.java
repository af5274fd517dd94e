package org.loranative.model.diffusion.families.chroma;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Act;
import org.loranative.graph.ops.Activation;
import org.loranative.graph.ops.Add;
import org.loranative.graph.ops.AddRows;
import org.loranative.graph.ops.Cast;
import org.loranative.graph.ops.TimestepEmbedding;
import org.loranative.graph.ops.Window;
import org.loranative.io.DType;
import org.loranative.model.Net;
import org.loranative.model.diffusion.dit.Modulation;
import org.loranative.model.diffusion.dit.Modulations;
import org.loranative.model.diffusion.dit.OriginalTensors;

/**
 * The network that makes every modulation of the model of a timestep and the modulation's number
 * (diffusers' ChromaApproximator and ChromaCombinedTimestepTextProjEmbeddings).
 *
 * @param images B
 * @param made [B·modulations, C]
 */
record Approximator(Net net, ChromaConfig config, long images, Value made) implements Modulations {
  static final String PREFIX = OriginalTensors.PREFIX + "distilled_guidance_layer.";

  /** An input: {@link #numbers} of each image. */
  static final String NUMBERS = "modulations";

  /** Of torch's RMSNorm in f32, where nobody gives one. */
  private static final float EPS = 0x1p-23f;

  /** Numbers of modulations are apart as timesteps are. */
  private static final float STEPS = 1000;

  private static final double MOST_PERIOD = 10000;

  /**
   * @param timesteps [B] f32
   */
  static Approximator of(Net net, ChromaConfig config, Value timesteps) {
    Graph g = net.graph();
    long images = timesteps.shape().size();
    long channels = config.channels();
    Value time = TimestepEmbedding.of(g, timesteps, channels / 4, true, 0, net.compute());
    Value alone =
        Window.pad(g, time, new Window.Setting(images, 1, channels, 0, 0, 1, channels / 4));
    Value numbers = g.input(NUMBERS, DType.F32, images * config.modulations(), channels);
    Value x =
        net.linear(PREFIX + "in_proj", AddRows.of(g, Cast.of(g, numbers, net.compute()), alone));
    for (int i = 0; i < config.approximator(); i++) {
      Value n = net.norm(PREFIX + "norms." + i, x, Optional.empty(), EPS).y();
      String layer = PREFIX + "layers." + i;
      Value wide = Activation.of(g, net.linear(layer + ".linear_1", n), Act.SILU);
      x = Add.of(g, net.linear(layer + ".linear_2", wide), x);
    }
    return new Approximator(net, config, images, net.linear(PREFIX + "out_proj", x));
  }

  /**
   * What the inputs of all modulations [modulations, channels] have beside the timestep, whose
   * quarter is zero: the embedding of a guidance of 0, and that of each number. In single precision
   * as in diffusers: the angles of high numbers turn many times, so that rounding shows.
   */
  static float[] numbers(ChromaConfig config) {
    int channels = config.channels();
    int half = channels / 4;
    float[] frequencies = new float[half];
    for (int j = 0; j < half; j++) {
      float exponent = (float) -Math.log(MOST_PERIOD) * j / half;
      frequencies[j] = (float) Math.exp(exponent);
    }
    float[] all = new float[config.modulations() * channels];
    for (int i = 0; i < config.modulations(); i++) {
      int guidance = i * channels + channels / 4;
      for (int j = 0; j < channels / 8; j++) {
        all[guidance + j] = 1; // cosines of 0
      }
      int number = i * channels + channels / 2;
      for (int j = 0; j < half; j++) {
        float angle = i * STEPS * frequencies[j];
        all[number + j] = (float) Math.cos(angle);
        all[number + half + j] = (float) Math.sin(angle);
      }
    }
    return all;
  }

  private Modulation at(int first, int count, String path) {
    long width = made.shape().last();
    List<Value> parts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Window.Setting one =
          new Window.Setting(images, config.modulations(), width, first + i, 0, 1, width);
      parts.add(Window.crop(net.graph(), made, one));
    }
    return new Modulation(net, path, parts);
  }

  @Override
  public Modulation image(int block, String path) {
    return at(config.image(block), 6, path + ".norm1");
  }

  @Override
  public Modulation text(int block, String path) {
    return at(config.text(block), 6, path + ".norm1_context");
  }

  @Override
  public Modulation single(int block, String path) {
    return at(config.single(block), 3, path + ".norm");
  }

  @Override
  public Modulation out(String path) {
    return at(config.out(), 2, path);
  }
}
