package org.loranative.model.diffusion.families.sd3;

import java.util.Optional;
import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Act;
import org.loranative.graph.ops.Activation;
import org.loranative.graph.ops.Attention;
import org.loranative.graph.ops.JoinRows;
import org.loranative.graph.ops.Window;
import org.loranative.model.Net;

/**
 * A block of the MMDiT: image and text tokens, each with weights of their own, meet in one
 * attention (diffusers' JointTransformerBlock).
 *
 * @param dual whether image tokens have a second attention among themselves
 * @param last whether nothing reads the text tokens behind it
 */
record JointBlock(Net net, MmditConfig c, String path, boolean dual, boolean last) {
  private static final float EPS = 1e-6f;

  /** Where the parts of each branch begin among those of its modulation: shift, scale, gate. */
  private static final int ATTENTION = 0;

  private static final int FORWARD = 3;
  private static final int SECOND_ATTENTION = 6;

  /**
   * Tokens of all images [B·N, C] and all texts [B·T, C].
   *
   * @param images B
   */
  record Streams(Value image, Value text, long images) {
    long imageTokens() {
      return image.shape().rows() / images;
    }

    long textTokens() {
      return text.shape().rows() / images;
    }
  }

  private Graph g() {
    return net.graph();
  }

  Streams run(Streams s, Value time) {
    Modulation m = Modulation.of(net, path + ".norm1", time, dual ? 9 : 6);
    Modulation t = Modulation.of(net, path + ".norm1_context", time, last ? 2 : 6);
    Value x = s.image();
    Value n = m.norm(x, ATTENTION);
    Value nt = last ? t.only(s.text(), c.shiftFirst()) : t.norm(s.text(), ATTENTION);
    Value both = attend(n, nt, s);
    Value toImage = net.linear(path + ".attn.to_out.0", imageRows(both, s));
    Value h = m.add(x, toImage, ATTENTION);
    if (dual) {
      h = m.add(h, second(m.norm(x, SECOND_ATTENTION), s), SECOND_ATTENTION);
    }
    h = m.add(h, forward(path + ".ff.net", m.norm(h, FORWARD)), FORWARD);
    if (last) {
      return new Streams(h, s.text(), s.images());
    }
    Value toText = net.linear(path + ".attn.to_add_out", textRows(both, s));
    Value ht = t.add(s.text(), toText, ATTENTION);
    ht = t.add(ht, forward(path + ".ff_context.net", t.norm(ht, FORWARD)), FORWARD);
    return new Streams(h, ht, s.images());
  }

  /** Every token of an image and its text sees every other: [B·(N + T), C], the image's first. */
  private Value attend(Value image, Value text, Streams s) {
    String at = path + ".attn.";
    Value q =
        both(
            normed(at + "norm_q", net.linear(at + "to_q", image)),
            normed(at + "norm_added_q", net.linear(at + "add_q_proj", text)),
            s);
    Value k =
        both(
            normed(at + "norm_k", net.linear(at + "to_k", image)),
            normed(at + "norm_added_k", net.linear(at + "add_k_proj", text)),
            s);
    Value v = both(net.linear(at + "to_v", image), net.linear(at + "add_v_proj", text), s);
    long tokens = s.imageTokens() + s.textTokens();
    return Attention.of(
        g(),
        path + ".attn",
        q,
        k,
        v,
        Attention.Setting.full(c.heads(), c.headDim(), tokens, tokens));
  }

  /** The attention of image tokens among themselves. */
  private Value second(Value image, Streams s) {
    String at = path + ".attn2.";
    Value o =
        Attention.of(
            g(),
            path + ".attn2",
            normed(at + "norm_q", net.linear(at + "to_q", image)),
            normed(at + "norm_k", net.linear(at + "to_k", image)),
            net.linear(at + "to_v", image),
            Attention.Setting.full(c.heads(), c.headDim(), s.imageTokens(), s.imageTokens()));
    return net.linear(at + "to_out.0", o);
  }

  private Value normed(String norm, Value x) {
    return c.normalizesQk() ? net.norm(norm, x, Optional.empty(), EPS).y() : x;
  }

  private Value forward(String at, Value x) {
    Value wide = Activation.of(g(), net.linear(at + ".0.proj", x), Act.GELU_TANH);
    return net.linear(at + ".2", wide);
  }

  private Value both(Value image, Value text, Streams s) {
    return JoinRows.of(g(), image, text, s.images());
  }

  private Value imageRows(Value both, Streams s) {
    return rows(both, s, 0, s.imageTokens());
  }

  private Value textRows(Value both, Streams s) {
    return rows(both, s, s.imageTokens(), s.textTokens());
  }

  private Value rows(Value both, Streams s, long from, long count) {
    long tokens = s.imageTokens() + s.textTokens();
    return Window.crop(
        g(), both, new Window.Setting(s.images(), tokens, c.width(), from, 0, count, c.width()));
  }
}
