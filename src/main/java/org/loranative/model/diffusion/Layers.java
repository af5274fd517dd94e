package org.loranative.model.diffusion;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Act;
import org.loranative.graph.ops.Activation;
import org.loranative.graph.ops.Add;
import org.loranative.graph.ops.AddRows;
import org.loranative.graph.ops.Attention;
import org.loranative.graph.ops.Conv2d;
import org.loranative.graph.ops.GroupNorm;
import org.loranative.graph.ops.PackedGlu;
import org.loranative.graph.ops.Upsample;
import org.loranative.model.Net;

/**
 * The layers that the UNet and the VAE are made of, under diffusers' names (ResnetBlock2D,
 * Transformer2DModel, Downsample2D, Upsample2D).
 *
 * @param groups of every group norm
 * @param eps of the residual blocks' group norms
 */
public record Layers(Net net, int groups, float eps) {
  private static final float TRANSFORMER_GROUP_EPS = 1e-6f;
  private static final float LAYER_NORM_EPS = 1e-5f;

  private Graph g() {
    return net.graph();
  }

  /** A convolution of 3 × 3 that keeps the size. */
  public Features conv(String path, Features f) {
    Conv2d.Setting same = Conv2d.Setting.same(f.images(), f.height(), f.width(), 3, 1);
    return f.with(net.conv(path, f.x(), same));
  }

  /** Group norm, SiLU, convolution. */
  private Features normConv(String norm, String conv, Features f) {
    return conv(conv, f.with(norm(norm, f, eps, true)));
  }

  public Value norm(String path, Features f, float normEps, boolean silu) {
    return net.groupNorm(path, f.x(), new GroupNorm.Setting(f.images(), groups, normEps, silu));
  }

  /**
   * ResnetBlock2D.
   *
   * @param time SiLU of the timestep's embedding [B, E], where the block has one
   */
  public Features resnet(String path, Features f, Optional<Value> time) {
    Features h = normConv(path + ".norm1", path + ".conv1", f);
    if (time.isPresent()) {
      Value t = net.linear(path + ".time_emb_proj", time.get());
      h = h.with(AddRows.of(g(), h.x(), t));
    }
    h = normConv(path + ".norm2", path + ".conv2", h);
    Value through =
        net.weights().has(path + ".conv_shortcut.weight")
            ? net.linear(path + ".conv_shortcut", f.x())
            : f.x();
    return f.with(Add.of(g(), through, h.x()));
  }

  /** Half the size, by a convolution of stride 2. */
  public Features downsample(String path, Features f) {
    Conv2d.Setting half = Conv2d.Setting.same(f.images(), f.height(), f.width(), 3, 2);
    Value y = net.conv(path, f.x(), half);
    return new Features(y, f.images(), half.outHeight(), half.outWidth());
  }

  /** The VAE's: zeros behind the image only. */
  public Features downsamplePaddedAfter(String path, Features f) {
    Conv2d.Setting half =
        new Conv2d.Setting(
            f.images(),
            f.height(),
            f.width(),
            (f.height() - 2) / 2 + 1,
            (f.width() - 2) / 2 + 1,
            3,
            2,
            0);
    Value y = net.conv(path, f.x(), half);
    return new Features(y, f.images(), half.outHeight(), half.outWidth());
  }

  /** To a height and width that are twice as large, or one less. */
  public Features upsample(String path, Features f, long height, long width) {
    Upsample.Setting s = new Upsample.Setting(f.images(), f.height(), f.width(), height, width);
    return conv(path, new Features(Upsample.of(g(), f.x(), s), f.images(), height, width));
  }

  /**
   * Transformer2DModel.
   *
   * @param context text [B·keys, width] that the second attention of each block reads
   * @param keys text tokens of an image
   */
  public Features transformer(
      String path, Features f, Value context, long keys, int heads, int blocks) {
    Value h = norm(path + ".norm", f, TRANSFORMER_GROUP_EPS, false);
    h = net.linear(path + ".proj_in", h);
    for (int i = 0; i < blocks; i++) {
      String block = path + ".transformer_blocks." + i;
      Value n = net.layerNorm(block + ".norm1", h, LAYER_NORM_EPS);
      h = Add.of(g(), attention(block + ".attn1", n, n, heads, f.pixels(), f.pixels()), h);
      n = net.layerNorm(block + ".norm2", h, LAYER_NORM_EPS);
      h = Add.of(g(), attention(block + ".attn2", n, context, heads, f.pixels(), keys), h);
      n = net.layerNorm(block + ".norm3", h, LAYER_NORM_EPS);
      h = Add.of(g(), feedForward(block + ".ff.net", n), h);
    }
    return f.with(Add.of(g(), net.linear(path + ".proj_out", h), f.x()));
  }

  public Value attention(String path, Value x, Value context, int heads, long queries, long keys) {
    List<String> ofContext = List.of(path + ".to_k", path + ".to_v");
    List<Value> qkv = new ArrayList<>();
    if (x.equals(context)) {
      qkv.addAll(net.linears(x, List.of(path + ".to_q", ofContext.get(0), ofContext.get(1))));
    } else {
      qkv.add(net.linear(path + ".to_q", x));
      qkv.addAll(net.linears(context, ofContext));
    }
    Attention.Setting full =
        Attention.Setting.full(heads, qkv.get(0).shape().last() / heads, queries, keys);
    return net.linear(
        path + ".to_out.0", Attention.of(g(), path, qkv.get(0), qkv.get(1), qkv.get(2), full));
  }

  /** GEGLU and the projection behind it. */
  private Value feedForward(String path, Value x) {
    Value both = net.linear(path + ".0.proj", x);
    return net.linear(path + ".2", PackedGlu.of(g(), both, false, Act.GELU));
  }

  /** Linear, SiLU, linear: what timesteps and sizes pass through. */
  public static Value embed(Net net, String path, Value x) {
    Value h = Activation.of(net.graph(), net.linear(path + ".linear_1", x), Act.SILU);
    return net.linear(path + ".linear_2", h);
  }
}
