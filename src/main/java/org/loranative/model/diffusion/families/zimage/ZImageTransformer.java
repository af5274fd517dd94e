package org.loranative.model.diffusion.families.zimage;

import java.util.Optional;
import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Act;
import org.loranative.graph.ops.Activation;
import org.loranative.graph.ops.Affine;
import org.loranative.graph.ops.Embedding;
import org.loranative.graph.ops.GridRopeTable;
import org.loranative.graph.ops.JoinRows;
import org.loranative.graph.ops.Patchify;
import org.loranative.graph.ops.Split;
import org.loranative.graph.ops.TimestepEmbedding;
import org.loranative.graph.ops.Window;
import org.loranative.io.DType;
import org.loranative.model.Net;
import org.loranative.model.diffusion.Features;
import org.loranative.model.diffusion.dit.Heads;
import org.loranative.model.diffusion.dit.Modulation;
import org.loranative.model.diffusion.dit.OriginalTensors;
import org.loranative.model.diffusion.dit.Streams;
import org.loranative.model.diffusion.dit.TokenDenoiser;

/**
 * ZImageTransformer2DModel of diffusers: image and text pass a few blocks each, then many as one
 * sequence.
 */
final class ZImageTransformer {
  private static final String PREFIX = OriginalTensors.PREFIX;
  private static final String OUT = PREFIX + "all_final_layer.2-1.";
  private static final int PATCH = TokenDenoiser.PATCH;
  private static final int WAVES = 256;
  private static final int STEPS = 1000;

  private final Net net;
  private final Graph g;
  private final ZImageConfig c;

  ZImageTransformer(Net net, ZImageConfig config) {
    this.net = net;
    this.g = net.graph();
    this.c = config;
  }

  /**
   * The predicted velocity [B·H·W, C].
   *
   * @param timesteps [B] f32, 1000 for noise alone
   * @param text states of the language model [B·T, textWidth]
   */
  Value predict(Features latents, Value timesteps, Value text) {
    long images = latents.images();
    Patchify.Setting patches =
        new Patchify.Setting(
            images, latents.height(), latents.width(), latents.channels(), PATCH, false);
    Value tokens =
        net.linear(PREFIX + "all_x_embedder.2-1", Patchify.tokens(g, latents.x(), patches));
    long own = tokens.shape().rows() / images;
    long filling = Math.floorMod(-own, ZImageTexts.MULTIPLE);
    Streams s = new Streams(filled(tokens, images, filling), caption(text), images);
    Value time = time(timesteps);
    Value padding = g.input(ZImageTexts.PADDING, DType.I32, images);

    Value places = places(latents, s, filling);
    Value x = s.image();
    for (int i = 0; i < c.refiners(); i++) {
      x = block("noise_refiner." + i, s.imageRows(g, places), Optional.empty(), x, images, time);
    }
    Value t = s.text();
    for (int i = 0; i < c.refiners(); i++) {
      t = block("context_refiner." + i, s.textRows(g, places), Optional.of(padding), t, images);
    }
    Value all = new Streams(x, t, images).joined(g);
    for (int i = 0; i < c.layers(); i++) {
      all = block("layers." + i, places, Optional.of(padding), all, images, time);
    }
    long width = c.width();
    Window.Setting image =
        new Window.Setting(images, all.shape().rows() / images, width, 0, 0, own, width);
    Value n = out(Window.crop(g, all, image), time);
    Value pixels = Patchify.pixels(g, net.linear(OUT + "linear", n), patches);
    return Affine.of(g, pixels, -1, 0); // it predicts the way from noise to image
  }

  /** The timestep's embedding; the model counts up to the image, not down. */
  private Value time(Value timesteps) {
    Value up = Affine.of(g, timesteps, -1, STEPS);
    Value waves = TimestepEmbedding.of(g, up, WAVES, true, 0, net.compute());
    Value h = Activation.of(g, net.linear(PREFIX + "t_embedder.mlp.0", waves), Act.SILU);
    return net.linear(PREFIX + "t_embedder.mlp.2", h);
  }

  private Value filled(Value tokens, long images, long filling) {
    if (filling == 0) {
      return tokens;
    }
    long width = c.width();
    Window.Setting one = new Window.Setting(images * filling, 1, width, 0, 0, 1, width);
    Value token = net.table(PREFIX + "x_pad_token");
    return JoinRows.of(g, tokens, Window.repeat(g, token, one, width), images);
  }

  /** Texts, each filled up by a learnt token: rows are picked of them and of it. */
  private Value caption(Value text) {
    Value n = net.norm(PREFIX + "cap_embedder.0", text, Optional.empty(), c.eps()).y();
    Value own = net.linear(PREFIX + "cap_embedder.1", n);
    Value both = JoinRows.of(g, own, net.table(PREFIX + "cap_pad_token"), 1);
    Value rows = g.input(ZImageTexts.ROWS, DType.I32, own.shape().rows());
    return Embedding.of(g, rows, both, 1);
  }

  /** A text's tokens count from 1, the image lies behind the last of them. */
  private Value places(Features latents, Streams s, long filling) {
    return GridRopeTable.of(
        g,
        PREFIX + "positions",
        Optional.of(g.input(ZImageTexts.LENGTHS, DType.I32, latents.images())),
        new GridRopeTable.Setting(
            latents.images(),
            latents.height() / PATCH,
            latents.width() / PATCH,
            filling,
            s.textTokens(),
            1,
            1,
            1,
            c.axes(),
            c.theta()));
  }

  private Value block(String name, Value rope, Optional<Value> padding, Value x, long images) {
    return block(name, rope, padding, x, images, Optional.empty());
  }

  private Value block(
      String name, Value rope, Optional<Value> padding, Value x, long images, Value time) {
    return block(name, rope, padding, x, images, Optional.of(time));
  }

  private Value block(
      String name,
      Value rope,
      Optional<Value> padding,
      Value x,
      long images,
      Optional<Value> time) {
    String path = PREFIX + name;
    Heads heads = new Heads(c.heads(), c.headDim(), true, c.eps(), Optional.of(rope), padding);
    ZImageBlock block = new ZImageBlock(net, heads, path, c.eps());
    Value[] y = new Value[1];
    g.block(path, () -> y[0] = block.run(x, x.shape().rows() / images, time));
    return y[0];
  }

  /** The norm behind the last block, scaled alone. */
  private Value out(Value x, Value time) {
    Value scale = net.linear(OUT + "adaLN_modulation.1", Activation.of(g, time, Act.SILU));
    long width = c.width();
    long images = scale.shape().rows();
    Window.Setting beside = new Window.Setting(images, 1, 2 * width, 0, 0, 1, width);
    Value both = Window.pad(g, scale, beside); // with a shift of zeros
    return new Modulation(net, OUT + "norm_final", Split.of(g, both, width, width)).only(x, false);
  }
}
