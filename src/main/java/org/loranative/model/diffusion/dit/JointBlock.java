package org.loranative.model.diffusion.dit;

import java.util.List;
import java.util.function.Supplier;
import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Act;
import org.loranative.graph.ops.Activation;
import org.loranative.model.Net;

/**
 * A block of an MMDiT (Esser et al. 2024): image and text tokens, each with weights of their own,
 * meet in one attention (diffusers' JointTransformerBlock and FluxTransformerBlock).
 *
 * @param shiftFirst how the norm of text tokens that nothing reads is made: see {@link
 *     Modulation#only}
 */
public record JointBlock(Net net, Heads heads, String path, boolean shiftFirst) {

  /** Where the parts of each branch begin among those of its modulation: shift, scale, gate. */
  private static final int ATTENTION = 0;

  private static final int FORWARD = 3;
  private static final int SECOND_ATTENTION = 6;

  private Graph g() {
    return net.graph();
  }

  /**
   * @param m of the image: 6 parts, or 9 where its tokens have a second attention among themselves
   * @param t of the text: 6 parts, or 2 where nothing reads its tokens behind this block
   */
  public Streams run(Streams s, Modulation m, Modulation t) {
    boolean last = t.count() == 2;
    Value x = s.image();
    Value n = m.norm(x, ATTENTION);
    Value nt = last ? t.only(s.text(), shiftFirst) : t.norm(s.text(), ATTENTION);
    Value both = attend(n, nt, s);
    Value toImage = net.linear(path + ".attn.to_out.0", s.imageRows(g(), both));
    Value h = m.add(x, toImage, ATTENTION);
    if (m.count() > SECOND_ATTENTION) {
      h = m.add(h, second(m.norm(x, SECOND_ATTENTION), s), SECOND_ATTENTION);
    }
    h = m.add(h, forward(path + ".ff.net", m.norm(h, FORWARD)), FORWARD);
    if (last) {
      return new Streams(h, s.text(), s.images());
    }
    Value toText = net.linear(path + ".attn.to_add_out", s.textRows(g(), both));
    Value ht = t.add(s.text(), toText, ATTENTION);
    ht = t.add(ht, forward(path + ".ff_context.net", t.norm(ht, FORWARD)), FORWARD);
    return new Streams(h, ht, s.images());
  }

  /** Every token of an image and its text sees every other: [B·(N + T), C], the image's first. */
  private Value attend(Value image, Value text, Streams s) {
    String at = path + ".attn.";
    List<Supplier<Value>> ofImage = net.readers(image, Heads.projections(path + ".attn"));
    List<Supplier<Value>> ofText =
        net.readers(text, List.of(at + "add_q_proj", at + "add_k_proj", at + "add_v_proj"));
    Value q =
        s.joined(
            g(),
            heads.normed(net, at + "norm_q", ofImage.get(0).get()),
            heads.normed(net, at + "norm_added_q", ofText.get(0).get()));
    Value k =
        s.joined(
            g(),
            heads.normed(net, at + "norm_k", ofImage.get(1).get()),
            heads.normed(net, at + "norm_added_k", ofText.get(1).get()));
    Value v = s.joined(g(), ofImage.get(2).get(), ofText.get(2).get());
    return heads.attend(net, path + ".attn", q, k, v, s.tokens());
  }

  /** The attention of image tokens among themselves. */
  private Value second(Value image, Streams s) {
    String at = path + ".attn2";
    return net.linear(at + ".to_out.0", heads.attendSelf(net, at, image, s.imageTokens()));
  }

  private Value forward(String at, Value x) {
    Value wide = Activation.of(g(), net.linear(at + ".0.proj", x), Act.GELU_TANH);
    return net.linear(at + ".2", wide);
  }
}
