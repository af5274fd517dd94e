package org.loranative.graph.ops;

import java.util.List;
import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Addresses;
import org.loranative.graph.Grads;
import org.loranative.graph.Graph;
import org.loranative.graph.Op;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;

/**
 * A window of a matrix, for each matrix of a batch: cut out of {@code whole} [B·R, C] into {@code
 * window} [B·rows, columns], or set into zeros; each is the other's backward.
 *
 * @param shared whether there is one whole [R, C], which every window of the batch is cut from
 */
public record Window(Value whole, Value window, Setting setting, boolean cut, boolean shared)
    implements Op {
  /** The whole is {@code batch} matrices [height, width], the window begins at (top, left). */
  public record Setting(
      long batch, long height, long width, long top, long left, long rows, long columns) {}

  public Window {
    Values.require(
        whole.shape().size() == (shared ? 1 : setting.batch()) * setting.height() * setting.width()
            && window.shape().size() == setting.batch() * setting.rows() * setting.columns()
            && setting.top() + setting.rows() <= setting.height()
            && setting.left() + setting.columns() <= setting.width(),
        cut ? "crop" : "pad",
        whole,
        window,
        setting);
  }

  /** The window of each matrix. */
  public static Value crop(Graph g, Value whole, Setting s) {
    Value window = g.temp("window", whole.dtype(), Shape.of(s.batch() * s.rows(), s.columns()));
    g.add(new Window(whole, window, s, true, false));
    return window;
  }

  /**
   * The same window of one frozen matrix for each of a batch.
   *
   * @param columns of the result: the window's numbers in other rows
   */
  public static Value repeat(Graph g, Value whole, Setting s, long columns) {
    long numbers = s.batch() * s.rows() * s.columns();
    Value window = g.temp("window", whole.dtype(), Shape.of(numbers / columns, columns));
    g.add(new Window(whole, window, s, true, true));
    return window;
  }

  /** Zeros around each matrix. */
  public static Value pad(Graph g, Value window, Setting s) {
    Value whole = g.temp("padded", window.dtype(), Shape.of(s.batch() * s.height(), s.width()));
    g.add(new Window(whole, window, s, false, false));
    return whole;
  }

  private Value from() {
    return cut ? whole : window;
  }

  private Value to() {
    return cut ? window : whole;
  }

  @Override
  public List<Value> inputs() {
    return List.of(from());
  }

  @Override
  public List<Value> outputs() {
    return List.of(to());
  }

  @Override
  public boolean isCheap() {
    return true;
  }

  @Override
  public void backward(Grads g) {
    if (shared) {
      throw new IllegalStateException("a shared matrix is frozen");
    }
    Value dy = g.of(to()).orElseThrow();
    Value dx = g.newGradient(from());
    g.emit(
        cut ? new Window(dx, dy, setting, false, false) : new Window(dy, dx, setting, true, false));
    g.add(from(), dx);
  }

  @Override
  public void run(Device d, Addresses at) {
    Setting s = setting;
    d.check(
        cut
            ? LoraOps.ln_crop_fwd(
                d.handle(),
                at.of(whole),
                at.of(window),
                s.batch(),
                s.height(),
                s.width(),
                s.top(),
                s.left(),
                s.rows(),
                s.columns(),
                shared ? 1 : 0,
                whole.dtype().code)
            : LoraOps.ln_pad_fwd(
                d.handle(),
                at.of(window),
                at.of(whole),
                s.batch(),
                s.height(),
                s.width(),
                s.top(),
                s.left(),
                s.rows(),
                s.columns(),
                whole.dtype().code));
  }
}
