package org.loranative.model.diffusion.dit;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.graph.ops.GridRopeTable;
import org.loranative.graph.ops.Patchify;
import org.loranative.model.Net;
import org.loranative.model.diffusion.Features;
import org.loranative.model.diffusion.Fitting;
import org.loranative.model.diffusion.PartConfig;
import org.loranative.model.diffusion.VaeConfig;

/**
 * The transformer of FLUX.1 (Black Forest Labs 2024) and its relatives, as diffusers'
 * FluxTransformer2DModel computes it: blocks of two streams, then blocks of one, positions rotary
 * along the axes of the image.
 *
 * @param layers blocks of two streams
 * @param singles blocks of one
 * @param axes channels of a head that each axis turns
 * @param shiftFirst how the norm behind the last block is made: see {@link Modulation#only}
 */
public record RotaryTransformer(
    int layers,
    int singles,
    int heads,
    int headDim,
    List<Integer> axes,
    boolean shiftFirst,
    Widths widths) {
  /** Numbers of a token: 2 × 2 latents as they enter and as they leave, and text. */
  public record Widths(int in, int out, int text) {}

  private static final int PATCH = TokenDenoiser.PATCH;
  private static final String PREFIX = OriginalTensors.PREFIX;
  private static final double THETA = 10000;

  public RotaryTransformer {
    axes = List.copyOf(axes);
  }

  /**
   * Channels that each axis turns where nothing tells: 16, 56 and 56 of FLUX.1's 128, and narrower
   * heads alike.
   */
  static List<Integer> axes(int headDim) {
    int first = headDim / 16 * 2;
    int rest = (headDim - first) / 2;
    return List.of(first, rest, rest);
  }

  /** Of diffusers' config. */
  public static RotaryTransformer read(PartConfig json, boolean shiftFirst) {
    json.require("patch_size", "1"); // pixels are made tokens before they enter
    int channels = json.integer("in_channels", 64);
    int headDim = json.integer("attention_head_dim", 128);
    return new RotaryTransformer(
        json.integer("num_layers", 19),
        json.integer("num_single_layers", 38),
        json.integer("num_attention_heads", 24),
        headDim,
        json.has("axes_dims_rope") ? json.numbers("axes_dims_rope") : axes(headDim),
        shiftFirst,
        new Widths(
            channels,
            json.integer("out_channels", channels),
            json.integer("joint_attention_dim", 4096)));
  }

  /**
   * Refuses parts of another model.
   *
   * @param t5 width of the text encoder's states
   */
  public void requireFit(Path base, VaeConfig vae, int t5) {
    int token = PATCH * PATCH * vae.latentChannels();
    Fitting.require(
        base, widths.in(), token, "the transformer's in_channels", "2 x 2 latents of the VAE");
    Fitting.require(
        base, widths.out(), token, "the transformer's out_channels", "2 x 2 latents of the VAE");
    Fitting.require(base, widths.text(), t5, "joint_attention_dim", "T5's d_model");
    Fitting.require(
        base,
        axes.stream().mapToInt(Integer::intValue).sum(),
        headDim,
        "the sum of axes_dims_rope",
        "attention_head_dim");
  }

  public int width() {
    return heads * headDim;
  }

  /** The blocks, as users weigh adapters by them. */
  public TransformerBlocks blocks() {
    return new TransformerBlocks(
        List.of(
            new TransformerBlocks.Row("DOUBLE", "transformer_blocks", layers),
            new TransformerBlocks.Row("SINGLE", "single_transformer_blocks", singles)));
  }

  /**
   * The predicted velocity [B·H·W, C].
   *
   * @param text [B·T, textWidth]
   * @param padding how many of each text's last tokens nobody sees, i32 [B]
   * @param m made of the timestep
   */
  public Value predict(
      Net net, Features latents, Value text, Optional<Value> padding, Modulations m) {
    Graph g = net.graph();
    Patchify.Setting patches =
        new Patchify.Setting(
            latents.images(), latents.height(), latents.width(), latents.channels(), PATCH, true);
    Streams[] s = {
      new Streams(
          net.linear(PREFIX + "x_embedder", Patchify.tokens(g, latents.x(), patches)),
          net.linear(PREFIX + "context_embedder", text),
          latents.images())
    };
    Heads all =
        new Heads(
            heads, headDim, true, Heads.EPS, Optional.of(positions(g, latents, s[0])), padding);
    for (int i = 0; i < layers; i++) {
      int at = i;
      String path = PREFIX + "transformer_blocks." + i;
      JointBlock block = new JointBlock(net, all, path, shiftFirst);
      g.block(path, () -> s[0] = block.run(s[0], m.image(at, path), m.text(at, path)));
    }
    Value[] x = {s[0].joined(g)};
    for (int i = 0; i < singles; i++) {
      int at = i;
      String path = PREFIX + "single_transformer_blocks." + i;
      SingleBlock block = new SingleBlock(net, all, path);
      g.block(path, () -> x[0] = block.run(x[0], s[0].tokens(), m.single(at, path)));
    }
    Value image = m.out(PREFIX + "norm_out").only(s[0].imageRows(g, x[0]), shiftFirst);
    return Patchify.pixels(g, net.linear(PREFIX + "proj_out", image), patches);
  }

  /** Every image's tokens lie at (0, row, column), those of text all at the origin. */
  private Value positions(Graph g, Features latents, Streams s) {
    return GridRopeTable.of(
        g,
        PREFIX + "positions",
        new GridRopeTable.Setting(
            latents.images(),
            latents.height() / PATCH,
            latents.width() / PATCH,
            0,
            s.textTokens(),
            0,
            0,
            0,
            axes,
            THETA));
  }
}
