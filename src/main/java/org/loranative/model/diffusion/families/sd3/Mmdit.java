package org.loranative.model.diffusion.families.sd3;

import java.util.Optional;
import org.loranative.UserException;
import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Act;
import org.loranative.graph.ops.Activation;
import org.loranative.graph.ops.Add;
import org.loranative.graph.ops.Conv2d;
import org.loranative.graph.ops.Patchify;
import org.loranative.graph.ops.TimestepEmbedding;
import org.loranative.graph.ops.Window;
import org.loranative.model.Net;
import org.loranative.model.diffusion.Features;
import org.loranative.model.diffusion.Layers;
import org.loranative.model.diffusion.dit.Heads;
import org.loranative.model.diffusion.dit.JointBlock;
import org.loranative.model.diffusion.dit.Modulation;
import org.loranative.model.diffusion.dit.OriginalTensors;
import org.loranative.model.diffusion.dit.Streams;

/**
 * The transformer of Stable Diffusion 3 (Esser et al. 2024), as diffusers' SD3Transformer2DModel
 * computes it: squares of latents and tokens of text side by side.
 */
final class Mmdit {
  static final String PREFIX = OriginalTensors.PREFIX;
  private static final int TIME_WAVES = 256;

  private final MmditConfig c;
  private final Net net;
  private final Graph g;

  Mmdit(MmditConfig config, Net net) {
    this.c = config;
    this.net = net;
    this.g = net.graph();
  }

  /**
   * The predicted velocity [B·H·W, outChannels].
   *
   * @param timesteps [B] f32
   * @param text [B·T, textWidth]
   * @param pooled [B, pooledWidth]
   */
  Value predict(Features latents, Value timesteps, Value text, Value pooled) {
    long height = latents.height() / c.patch();
    long width = latents.width() / c.patch();
    Value waves = TimestepEmbedding.of(g, timesteps, TIME_WAVES, true, 0, net.compute());
    String embed = PREFIX + "time_text_embed.";
    Value time =
        Add.of(
            g,
            Layers.embed(net, embed + "timestep_embedder", waves),
            Layers.embed(net, embed + "text_embedder", pooled));
    Value t = Activation.of(g, time, Act.SILU);
    Streams[] s = {
      new Streams(
          tokens(latents, height, width),
          net.linear(PREFIX + "context_embedder", text),
          latents.images())
    };
    Heads heads =
        new Heads(
            c.heads(),
            c.headDim(),
            c.normalizesQk(),
            Heads.EPS,
            Optional.empty(),
            Optional.empty());
    for (int i = 0; i < c.layers(); i++) {
      int parts = c.dual().contains(i) ? 9 : 6;
      int ofText = i == c.layers() - 1 ? 2 : 6; // nothing reads the text behind the last block
      String path = PREFIX + "transformer_blocks." + i;
      JointBlock block = new JointBlock(net, heads, path, c.shiftFirst());
      g.block(
          path,
          () ->
              s[0] =
                  block.run(
                      s[0],
                      Modulation.of(net, path + ".norm1", t, parts),
                      Modulation.of(net, path + ".norm1_context", t, ofText)));
    }
    Value normed = Modulation.of(net, PREFIX + "norm_out", t, 2).only(s[0].image(), c.shiftFirst());
    Patchify.Setting patches =
        new Patchify.Setting(
            latents.images(), latents.height(), latents.width(), c.outChannels(), c.patch(), false);
    return Patchify.pixels(g, net.linear(PREFIX + "proj_out", normed), patches);
  }

  /**
   * Squares of latents as tokens, each with its position in the middle of those that are learnt.
   */
  private Value tokens(Features latents, long height, long width) {
    if (height > c.positions() || width > c.positions()) {
      throw new UserException(
          String.format(
              "Latents of %d x %d are too large for this base, which knows positions of at most %d"
                  + " x %d: set a lower resolution.",
              latents.height(),
              latents.width(),
              c.positions() * c.patch(),
              c.positions() * c.patch()));
    }
    Conv2d.Setting squares =
        new Conv2d.Setting(
            latents.images(),
            latents.height(),
            latents.width(),
            height,
            width,
            c.patch(),
            c.patch(),
            0);
    Value x = net.conv(PREFIX + "pos_embed.proj", latents.x(), squares);
    Window.Setting middle =
        new Window.Setting(
            latents.images(),
            c.positions(),
            (long) c.positions() * c.width(),
            (c.positions() - height) / 2,
            (c.positions() - width) / 2 * c.width(),
            height,
            width * c.width());
    Value positions = net.table(PREFIX + "pos_embed.pos_embed");
    return Add.of(g, x, Window.repeat(g, positions, middle, c.width()));
  }
}
