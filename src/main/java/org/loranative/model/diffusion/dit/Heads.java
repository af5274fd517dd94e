package org.loranative.model.diffusion.dit;

import java.util.List;
import java.util.Optional;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Attention;
import org.loranative.graph.ops.Rope;
import org.loranative.model.Net;

/**
 * The heads of an attention in which every token of an image and its text sees every other, but for
 * padding.
 *
 * @param normalized whether queries and keys pass a norm, head by head
 * @param eps of those norms
 * @param rope the table by which they are rotated, where positions are rotary
 * @param padding i32 [B]: how many of a text's last tokens nobody sees, where they are told
 */
public record Heads(
    int count,
    int dim,
    boolean normalized,
    float eps,
    Optional<Value> rope,
    Optional<Value> padding) {
  /** Of most families' norms. */
  public static final float EPS = 1e-6f;

  public int width() {
    return count * dim;
  }

  /** Queries or keys of a projection. */
  Value normed(Net net, String norm, Value x) {
    return normalized ? net.norm(norm, x, Optional.empty(), eps).y() : x;
  }

  /**
   * @param tokens of each group that sees itself
   */
  Value attend(Net net, String path, Value q, Value k, Value v, long tokens) {
    return Attention.of(
        net.graph(),
        path,
        rotated(net, q),
        rotated(net, k),
        v,
        padding,
        Attention.Setting.full(count, dim, tokens, tokens));
  }

  /** The layers of queries, keys and values below a path. */
  static List<String> projections(String path) {
    return List.of(path + ".to_q", path + ".to_k", path + ".to_v");
  }

  /** The attention of tokens among themselves, whose layers lie below a path. */
  public Value attendSelf(Net net, String path, Value x, long tokens) {
    return attendSelf(net, path, net.linears(x, projections(path)), tokens);
  }

  /** Likewise of what the layers have made. */
  Value attendSelf(Net net, String path, List<Value> qkv, long tokens) {
    Value q = normed(net, path + ".norm_q", qkv.get(0));
    Value k = normed(net, path + ".norm_k", qkv.get(1));
    return attend(net, path, q, k, qkv.get(2), tokens);
  }

  private Value rotated(Net net, Value x) {
    return rope.map(table -> Rope.of(net.graph(), x, table, dim, Rope.Pairing.NEIGHBOURS))
        .orElse(x);
  }
}
