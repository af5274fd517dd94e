package org.loranative.model.diffusion;

import java.util.Optional;
import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Add;
import org.loranative.model.Net;

/** The autoencoder between images and latents, as diffusers' AutoencoderKL computes it. */
public final class Vae {
  public static final String PREFIX = "vae.";
  private static final float EPS = 1e-6f;

  private final VaeConfig c;
  private final Net net;
  private final Layers layers;

  Vae(VaeConfig config, Net net) {
    this.c = config;
    this.net = net;
    this.layers = new Layers(net, config.groups(), EPS);
  }

  /** Mean and log-variance of the latents [B·h·w, 2 latentChannels] of images in [−1, 1]. */
  Features encode(Features image) {
    String path = PREFIX + "encoder";
    Features f = layers.conv(path + ".conv_in", image);
    int n = c.channels().size();
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < c.resnets(); j++) {
        f = resnet(path + ".down_blocks." + i + ".resnets." + j, f);
      }
      if (i < n - 1) {
        f = layers.downsamplePaddedAfter(path + ".down_blocks." + i + ".downsamplers.0.conv", f);
      }
    }
    return mixed(PREFIX + "quant_conv", ends(path, middle(path, f)));
  }

  /** Images in about [−1, 1], [B·H·W, 3], of latents (not scaled). */
  Features decode(Features latents) {
    String path = PREFIX + "decoder";
    Features f = mixed(PREFIX + "post_quant_conv", latents);
    f = middle(path, layers.conv(path + ".conv_in", f));
    int n = c.channels().size();
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= c.resnets(); j++) {
        f = resnet(path + ".up_blocks." + i + ".resnets." + j, f);
      }
      if (i < n - 1) {
        f =
            layers.upsample(
                path + ".up_blocks." + i + ".upsamplers.0.conv", f, 2 * f.height(), 2 * f.width());
      }
    }
    return ends(path, f);
  }

  /** Latents' channels mixed, which later autoencoders leave out. */
  private Features mixed(String path, Features f) {
    return net.weights().has(path + ".weight") ? f.with(net.linear(path, f.x())) : f;
  }

  private Features resnet(String path, Features f) {
    return layers.resnet(path, f, Optional.empty());
  }

  private Features middle(String path, Features f) {
    String mid = path + ".mid_block";
    Features h = resnet(mid + ".resnets.0", f);
    String attention = mid + ".attentions.0";
    Value n = layers.norm(attention + ".group_norm", h, EPS, false);
    Value o = layers.attention(attention, n, n, 1, h.pixels(), h.pixels());
    Graph g = net.graph();
    return resnet(mid + ".resnets.1", h.with(Add.of(g, o, h.x())));
  }

  private Features ends(String path, Features f) {
    Features normed = f.with(layers.norm(path + ".conv_norm_out", f, EPS, true));
    return layers.conv(path + ".conv_out", normed);
  }
}
