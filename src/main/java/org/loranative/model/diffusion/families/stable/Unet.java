package org.loranative.model.diffusion.families.stable;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Act;
import org.loranative.graph.ops.Activation;
import org.loranative.graph.ops.Add;
import org.loranative.graph.ops.Split;
import org.loranative.graph.ops.TimestepEmbedding;
import org.loranative.model.Net;
import org.loranative.model.diffusion.Features;
import org.loranative.model.diffusion.Layers;

/**
 * The UNet of latent diffusion (Rombach et al. 2022; SDXL: Podell et al. 2023), as diffusers'
 * UNet2DConditionModel computes it.
 */
final class Unet {
  static final String PREFIX = "unet.";

  /** Sizes that SDXL is told: original height and width, crop, target height and width. */
  static final int SIZES = 6;

  private final UnetConfig c;
  private final Net net;
  private final Layers layers;

  Unet(UnetConfig config, Net net) {
    this.c = config;
    this.net = net;
    this.layers = new Layers(net, config.groups(), config.eps());
  }

  /**
   * What SDXL conditions on beside the text.
   *
   * @param pooled of the second text encoder [B, width]
   * @param sizes [B·{@value #SIZES}] f32
   */
  record Added(Value pooled, Value sizes) {}

  /**
   * The predicted noise (or velocity) [B·H·W, outChannels].
   *
   * @param timesteps [B] f32
   * @param text [B·keys, contextWidth]
   */
  Value predict(Features latents, Value timesteps, Value text, long keys, Optional<Added> added) {
    Graph g = net.graph();
    Value time = time(timesteps);
    if (added.isPresent()) {
      time = Add.of(g, time, added(added.get()));
    }
    Optional<Value> t = Optional.of(Activation.of(g, time, Act.SILU));

    Features[] f = {layers.conv(PREFIX + "conv_in", latents)};
    Deque<Features> skips = new ArrayDeque<>();
    skips.push(f[0]);
    int n = c.levels().size();
    for (int i = 0; i < n; i++) {
      UnetConfig.Level level = c.levels().get(i);
      String path = PREFIX + "down_blocks." + i;
      for (int j = 0; j < level.resnets(); j++) {
        int at = j;
        g.block(
            path + "." + j,
            () -> {
              f[0] = layers.resnet(path + ".resnets." + at, f[0], t);
              if (level.attendsDown()) {
                f[0] = attention(path + ".attentions." + at, f[0], text, keys, level);
              }
            });
        skips.push(f[0]);
      }
      if (i < n - 1) {
        f[0] = layers.downsample(path + ".downsamplers.0.conv", f[0]);
        skips.push(f[0]);
      }
    }
    g.block(
        PREFIX + "mid_block",
        () -> {
          f[0] = layers.resnet(PREFIX + "mid_block.resnets.0", f[0], t);
          f[0] = attention(PREFIX + "mid_block.attentions.0", f[0], text, keys, c.innermost());
          f[0] = layers.resnet(PREFIX + "mid_block.resnets.1", f[0], t);
        });
    for (int i = 0; i < n; i++) {
      UnetConfig.Level level = c.levels().get(n - 1 - i);
      String path = PREFIX + "up_blocks." + i;
      for (int j = 0; j <= level.resnets(); j++) {
        int at = j;
        Features skip = skips.pop();
        g.block(
            path + "." + j,
            () -> {
              Features joined = f[0].with(Split.join(g, List.of(f[0].x(), skip.x())));
              f[0] = layers.resnet(path + ".resnets." + at, joined, t);
              if (level.attendsUp()) {
                f[0] = attention(path + ".attentions." + at, f[0], text, keys, level);
              }
            });
      }
      if (i < n - 1) {
        // To the size of what it meets next: an odd size was halved upwards.
        Features next = skips.peek();
        f[0] = layers.upsample(path + ".upsamplers.0.conv", f[0], next.height(), next.width());
      }
    }
    Value normed = layers.norm(PREFIX + "conv_norm_out", f[0], c.eps(), true);
    return layers.conv(PREFIX + "conv_out", f[0].with(normed)).x();
  }

  private Features attention(
      String path, Features f, Value text, long keys, UnetConfig.Level level) {
    return layers.transformer(path, f, text, keys, level.heads(), level.blocks());
  }

  private Value time(Value timesteps) {
    Value waves =
        TimestepEmbedding.of(
            net.graph(),
            timesteps,
            c.levels().get(0).channels(),
            c.cosineFirst(),
            c.timeShift(),
            net.compute());
    return Layers.embed(net, PREFIX + "time_embedding", waves);
  }

  private Value added(Added added) {
    Graph g = net.graph();
    Value waves =
        TimestepEmbedding.of(
            g,
            added.sizes(),
            SIZES,
            c.sizeEmbedding(),
            c.cosineFirst(),
            c.timeShift(),
            net.compute());
    return Layers.embed(
        net, PREFIX + "add_embedding", Split.join(g, List.of(added.pooled(), waves)));
  }
}
