package org.loranative.model.diffusion.families.flux;

import java.util.Map;
import java.util.Optional;
import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Act;
import org.loranative.graph.ops.Activation;
import org.loranative.graph.ops.Add;
import org.loranative.graph.ops.TimestepEmbedding;
import org.loranative.io.DType;
import org.loranative.model.Net;
import org.loranative.model.diffusion.Features;
import org.loranative.model.diffusion.Layers;
import org.loranative.model.diffusion.dit.Modulation;
import org.loranative.model.diffusion.dit.Modulations;
import org.loranative.model.diffusion.dit.OriginalTensors;

/** The transformer with what makes its modulations: timestep, guidance, the text as a whole. */
record FluxTransformer(FluxConfig config, Net net) {
  static final String GUIDANCE = "guidance";
  private static final String EMBED = OriginalTensors.PREFIX + "time_text_embed.";
  private static final int WAVES = 256;

  /** Embeddings take the guidance, as they take σ, times so many. */
  private static final float STEPS = 1000;

  Value predict(Features latents, Value timesteps, Map<String, Value> conditions) {
    Graph g = net.graph();
    Value sum = embed("timestep_embedder", timesteps);
    if (config.told()) {
      Value guidance = g.input(GUIDANCE, DType.F32, latents.images());
      sum = Add.of(g, sum, embed("guidance_embedder", guidance));
    }
    Value pooled = conditions.get(FluxEncoders.POOLED);
    Value time = Add.of(g, sum, Layers.embed(net, EMBED + "text_embedder", pooled));
    return config
        .transformer()
        .predict(
            net,
            latents,
            conditions.get(FluxEncoders.TEXT),
            Optional.empty(),
            new Layered(net, Activation.of(g, time, Act.SILU)));
  }

  private Value embed(String name, Value x) {
    return Layers.embed(
        net, EMBED + name, TimestepEmbedding.of(net.graph(), x, WAVES, true, 0, net.compute()));
  }

  /** What the denoiser is told of a guidance, once. */
  static float[] told(double guidance) {
    return new float[] {(float) guidance * STEPS};
  }

  /** Every block makes its own with a layer. */
  private record Layered(Net net, Value time) implements Modulations {
    @Override
    public Modulation image(int block, String path) {
      return Modulation.of(net, path + ".norm1", time, 6);
    }

    @Override
    public Modulation text(int block, String path) {
      return Modulation.of(net, path + ".norm1_context", time, 6);
    }

    @Override
    public Modulation single(int block, String path) {
      return Modulation.of(net, path + ".norm", time, 3);
    }

    @Override
    public Modulation out(String path) {
      return Modulation.of(net, path, time, 2);
    }
  }
}
