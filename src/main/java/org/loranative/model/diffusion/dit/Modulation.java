package org.loranative.model.diffusion.dit;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.loranative.graph.Value;
import org.loranative.graph.ops.GatedAdd;
import org.loranative.graph.ops.ModulatedNorm;
import org.loranative.graph.ops.Split;
import org.loranative.model.Net;

/**
 * What a timestep makes of a block's norms and branches (adaLN-Zero: Peebles and Xie 2023): shifts,
 * scales and gates, each [B, C].
 */
public record Modulation(Net net, String path, List<Value> parts) {
  private static final float EPS = 1e-6f;

  /**
   * @param time SiLU of the timestep's and text's embedding [B, C]
   * @param count of the parts that the layer makes: 2, 3, 6 or 9
   */
  public static Modulation of(Net net, String path, Value time, int count) {
    Value all = net.linear(path + ".linear", time);
    long width = all.shape().last() / count;
    List<Value> parts = new ArrayList<>();
    if (count <= 3) {
      long[] each = new long[count];
      Arrays.fill(each, width);
      parts.addAll(Split.of(net.graph(), all, each));
    } else { // in threes, which is what one op cuts
      long[] threes = new long[count / 3];
      Arrays.fill(threes, 3 * width);
      for (Value three : Split.of(net.graph(), all, threes)) {
        parts.addAll(Split.of(net.graph(), three, width, width, width));
      }
    }
    return new Modulation(net, path, parts);
  }

  int count() {
    return parts.size();
  }

  /** The norm of a branch, whose shift, scale and gate begin at a part. */
  Value norm(Value x, int at) {
    return norm(x, at + 1, at);
  }

  /** The norm of a layer that makes nothing else. */
  public Value only(Value x, boolean shiftFirst) {
    return shiftFirst ? norm(x, 1, 0) : norm(x, 0, 1);
  }

  private Value norm(Value x, int scale, int shift) {
    return ModulatedNorm.of(net.graph(), path, x, parts.get(scale), parts.get(shift), EPS);
  }

  /** The branch added to what it branched off. */
  Value add(Value x, Value branch, int at) {
    return GatedAdd.of(net.graph(), path + ".add", x, branch, parts.get(at + 2));
  }
}
