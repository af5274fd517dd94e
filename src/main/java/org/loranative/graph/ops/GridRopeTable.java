package org.loranative.graph.ops;

import java.util.List;
import java.util.Optional;
import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Addresses;
import org.loranative.graph.Grads;
import org.loranative.graph.Graph;
import org.loranative.graph.Op;
import org.loranative.graph.Out;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.io.DType;

/**
 * Cosines and sines of tokens that lie on a grid, for {@link Rope}: table [B·(H·W + P + T), 2·half]
 * f32, the tokens of each image row by row, those that fill it up and those of its text behind
 * them. Three axes part a head's channels among them: the first counts images or tokens of text,
 * the others are the grid's (Black Forest Labs' FLUX).
 *
 * @param moved [B] i32: what is added to the place of an image's tokens on the first axis
 */
public record GridRopeTable(Optional<Value> moved, @Out Value table, Setting setting)
    implements Op {

  /**
   * @param images B
   * @param height H of the grid; width likewise
   * @param filling P, which lie at the origin
   * @param text T
   * @param imageAt the place of every image's token on the first axis
   * @param textAt that of the first token of text, {@code textStep} between one and the next
   * @param channels that each axis turns in a head, all even
   */
  public record Setting(
      long images,
      long height,
      long width,
      long filling,
      long text,
      long imageAt,
      long textAt,
      long textStep,
      List<Integer> channels,
      double theta) {
    public Setting {
      channels = List.copyOf(channels);
      if (channels.size() != 3) {
        throw new IllegalArgumentException("rotary positions have 3 axes, not " + channels);
      }
    }

    private long half(int axis) {
      return channels.get(axis) / 2;
    }
  }

  public static Value of(Graph g, String name, Setting s) {
    return of(g, name, Optional.empty(), s);
  }

  public static Value of(Graph g, String name, Optional<Value> moved, Setting s) {
    long tokens = s.images() * (s.height() * s.width() + s.filling() + s.text());
    Value table =
        g.temp(name, DType.F32, Shape.of(tokens, 2 * (s.half(0) + s.half(1) + s.half(2))));
    g.add(new GridRopeTable(moved, table, s));
    return table;
  }

  @Override
  public void backward(Grads g) {
    throw new UnsupportedOperationException("positions have no gradient");
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_grid_rope_table_fwd(
            d.handle(),
            at.of(moved),
            at.of(table),
            setting.images(),
            setting.height(),
            setting.width(),
            setting.filling(),
            setting.text(),
            setting.imageAt(),
            setting.textAt(),
            setting.textStep(),
            setting.half(0),
            setting.half(1),
            setting.half(2),
            (float) setting.theta()));
  }
}
