package org.loranative.gpucheck;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The tensors of a UNet2DConditionModel, an AutoencoderKL and CLIP text encoders under diffusers'
 * names.
 *
 * @param channels of the UNet's levels from the outside in
 * @param blocks transformer blocks of each level's attentions, 0 for none
 * @param heads of each level (what diffusers calls attention_head_dim)
 * @param context width of the text's states
 * @param pooled width of the second text encoder's pooled state, 0 without one
 */
record DiffusionShapes(
    List<Integer> channels,
    List<Integer> blocks,
    List<Integer> heads,
    int context,
    int pooled,
    List<Integer> vaeChannels) {
  static final DiffusionShapes SD15 =
      new DiffusionShapes(
          List.of(320, 640, 1280, 1280),
          List.of(1, 1, 1, 0),
          List.of(8, 8, 8, 8),
          768,
          0,
          List.of(128, 256, 512, 512));
  static final DiffusionShapes SDXL =
      new DiffusionShapes(
          List.of(320, 640, 1280),
          List.of(0, 2, 10),
          List.of(5, 10, 20),
          2048,
          1280,
          List.of(128, 256, 512, 512));
  static final DiffusionShapes TOY =
      new DiffusionShapes(
          List.of(32, 64), List.of(1, 1), List.of(2, 2), 32, 0, List.of(32, 32, 32, 32));

  static final DiffusionShapes TOY_XL =
      new DiffusionShapes(
          List.of(32, 64), List.of(0, 2), List.of(1, 2), 64, 32, List.of(32, 32, 32, 32));

  /** Whose autoencoder attends with one head as wide as that of Stable Diffusion. */
  static final DiffusionShapes TOY_WIDE =
      new DiffusionShapes(
          List.of(32, 64), List.of(1, 1), List.of(2, 2), 32, 0, List.of(32, 32, 32, 512));

  static final int RESNETS = 2;
  static final int SIZE_EMBEDDING = 256;

  boolean isXl() {
    return pooled > 0;
  }

  /** The first text encoder's width; the second's, if any, is the rest of the context. */
  int textWidth() {
    return context - pooled;
  }

  /** Collects names and shapes. */
  private static final class Names {
    final Map<String, long[]> shapes = new LinkedHashMap<>();

    void norm(String path, long width) {
      shapes.put(path + ".weight", new long[] {width});
      shapes.put(path + ".bias", new long[] {width});
    }

    void linear(String path, long in, long out) {
      shapes.put(path + ".weight", new long[] {out, in});
      shapes.put(path + ".bias", new long[] {out});
    }

    void plain(String path, long in, long out) {
      shapes.put(path + ".weight", new long[] {out, in});
    }

    void conv(String path, long in, long out, int kernel) {
      shapes.put(path + ".weight", new long[] {out, in, kernel, kernel});
      shapes.put(path + ".bias", new long[] {out});
    }

    void resnet(String path, long in, long out, long time) {
      norm(path + ".norm1", in);
      conv(path + ".conv1", in, out, 3);
      if (time > 0) {
        linear(path + ".time_emb_proj", time, out);
      }
      norm(path + ".norm2", out);
      conv(path + ".conv2", out, out, 3);
      if (in != out) {
        conv(path + ".conv_shortcut", in, out, 1);
      }
    }
  }

  Map<String, long[]> unet() {
    Names n = new Names();
    int first = channels.get(0);
    int time = 4 * first;
    n.conv("conv_in", 4, first, 3);
    n.linear("time_embedding.linear_1", first, time);
    n.linear("time_embedding.linear_2", time, time);
    if (isXl()) {
      n.linear("add_embedding.linear_1", pooled + 6 * SIZE_EMBEDDING, time);
      n.linear("add_embedding.linear_2", time, time);
    }
    Deque<Integer> skips = new ArrayDeque<>(List.of(first));
    int now = first;
    int last = channels.size() - 1;
    for (int i = 0; i <= last; i++) {
      String path = "down_blocks." + i;
      for (int j = 0; j < RESNETS; j++) {
        n.resnet(path + ".resnets." + j, now, channels.get(i), time);
        now = channels.get(i);
        transformer(n, path + ".attentions." + j, now, blocks.get(i));
        skips.push(now);
      }
      if (i < last) {
        n.conv(path + ".downsamplers.0.conv", now, now, 3);
        skips.push(now);
      }
    }
    n.resnet("mid_block.resnets.0", now, now, time);
    transformer(n, "mid_block.attentions.0", now, Math.max(1, blocks.get(last)));
    n.resnet("mid_block.resnets.1", now, now, time);
    for (int i = 0; i <= last; i++) {
      String path = "up_blocks." + i;
      int out = channels.get(last - i);
      for (int j = 0; j <= RESNETS; j++) {
        n.resnet(path + ".resnets." + j, now + skips.pop(), out, time);
        now = out;
        transformer(n, path + ".attentions." + j, now, blocks.get(last - i));
      }
      if (i < last) {
        n.conv(path + ".upsamplers.0.conv", now, now, 3);
      }
    }
    n.norm("conv_norm_out", first);
    n.conv("conv_out", first, 4, 3);
    return n.shapes;
  }

  private void transformer(Names n, String path, int width, int count) {
    if (count == 0) {
      return;
    }
    n.norm(path + ".norm", width);
    n.linear(path + ".proj_in", width, width);
    for (int i = 0; i < count; i++) {
      String block = path + ".transformer_blocks." + i;
      for (int a = 1; a <= 2; a++) {
        int from = a == 1 ? width : context;
        n.plain(block + ".attn" + a + ".to_q", width, width);
        n.plain(block + ".attn" + a + ".to_k", from, width);
        n.plain(block + ".attn" + a + ".to_v", from, width);
        n.linear(block + ".attn" + a + ".to_out.0", width, width);
      }
      for (int k = 1; k <= 3; k++) {
        n.norm(block + ".norm" + k, width);
      }
      n.linear(block + ".ff.net.0.proj", width, 8L * width);
      n.linear(block + ".ff.net.2", 4L * width, width);
    }
    n.linear(path + ".proj_out", width, width);
  }

  Map<String, long[]> vae() {
    Names n = new Names();
    int last = vaeChannels.size() - 1;
    int now = vaeChannels.get(0);
    n.conv("encoder.conv_in", 3, now, 3);
    for (int i = 0; i <= last; i++) {
      String path = "encoder.down_blocks." + i;
      for (int j = 0; j < RESNETS; j++) {
        n.resnet(path + ".resnets." + j, now, vaeChannels.get(i), 0);
        now = vaeChannels.get(i);
      }
      if (i < last) {
        n.conv(path + ".downsamplers.0.conv", now, now, 3);
      }
    }
    vaeEnds(n, "encoder", now, now, 8);
    n.conv("quant_conv", 8, 8, 1);
    n.conv("post_quant_conv", 4, 4, 1);
    n.conv("decoder.conv_in", 4, now, 3);
    for (int i = 0; i <= last; i++) {
      String path = "decoder.up_blocks." + i;
      for (int j = 0; j <= RESNETS; j++) {
        n.resnet(path + ".resnets." + j, now, vaeChannels.get(last - i), 0);
        now = vaeChannels.get(last - i);
      }
      if (i < last) {
        n.conv(path + ".upsamplers.0.conv", now, now, 3);
      }
    }
    vaeEnds(n, "decoder", vaeChannels.get(last), now, 3);
    return n.shapes;
  }

  private static void vaeEnds(Names n, String path, int middle, int outer, int out) {
    n.resnet(path + ".mid_block.resnets.0", middle, middle, 0);
    String attention = path + ".mid_block.attentions.0";
    n.norm(attention + ".group_norm", middle);
    for (String part : List.of(".to_q", ".to_k", ".to_v", ".to_out.0")) {
      n.linear(attention + part, middle, middle);
    }
    n.resnet(path + ".mid_block.resnets.1", middle, middle, 0);
    n.norm(path + ".conv_norm_out", outer);
    n.conv(path + ".conv_out", outer, out, 3);
  }

  /**
   * A CLIP text encoder.
   *
   * @param projected whether it has a text_projection
   */
  static Map<String, long[]> clip(int width, int layers, int vocab, boolean projected) {
    Names n = new Names();
    n.plain("text_model.embeddings.token_embedding", width, vocab);
    n.plain("text_model.embeddings.position_embedding", width, 77);
    for (int i = 0; i < layers; i++) {
      String layer = "text_model.encoder.layers." + i;
      for (String part : List.of("q_proj", "k_proj", "v_proj", "out_proj")) {
        n.linear(layer + ".self_attn." + part, width, width);
      }
      n.norm(layer + ".layer_norm1", width);
      n.norm(layer + ".layer_norm2", width);
      n.linear(layer + ".mlp.fc1", width, 4L * width);
      n.linear(layer + ".mlp.fc2", 4L * width, width);
    }
    n.norm("text_model.final_layer_norm", width);
    if (projected) {
      n.plain("text_projection", width, width);
    }
    return n.shapes;
  }
}
