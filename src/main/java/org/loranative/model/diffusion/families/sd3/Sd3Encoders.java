package org.loranative.model.diffusion.families.sd3;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.graph.ops.JoinRows;
import org.loranative.graph.ops.Split;
import org.loranative.graph.ops.Window;
import org.loranative.io.DType;
import org.loranative.model.Net;
import org.loranative.model.diffusion.Condition;
import org.loranative.model.diffusion.TextEncoders;
import org.loranative.model.diffusion.TextReader;
import org.loranative.model.diffusion.clip.ClipConfig;
import org.loranative.model.diffusion.clip.ClipText;
import org.loranative.model.diffusion.clip.TokenizerPlace;
import org.loranative.model.diffusion.t5.ClipT5Reader;
import org.loranative.model.diffusion.t5.T5Place;
import org.loranative.model.diffusion.t5.T5Text;

/**
 * Both of CLIP's encoders, whose states stand side by side and are filled up with zeros to T5's
 * width, and behind them T5's own; where there is no T5, zeros in its place (diffusers'
 * StableDiffusion3Pipeline).
 *
 * @param width of a token as the transformer reads it
 * @param tokenizers of the two CLIPs
 */
record Sd3Encoders(
    ClipConfig first,
    ClipConfig second,
    Optional<T5Place> third,
    int width,
    List<TokenizerPlace> tokenizers)
    implements TextEncoders {
  static final String FIRST = "text_encoder.";
  static final String SECOND = "text_encoder_2.";
  static final String THIRD = "text_encoder_3.";

  /** What diffusers' pipeline takes, and Stability AI trained with. */
  static final int T5_TOKENS = 256;

  /** Inputs of the transformer. */
  static final String TEXT = "text";

  static final String POOLED = "pooled";

  Sd3Encoders {
    tokenizers = List.copyOf(tokenizers);
  }

  @Override
  public int tokens() {
    return first.positions() + T5_TOKENS;
  }

  @Override
  public List<Condition> conditions() {
    return List.of(
        new Condition(TEXT, width, true),
        new Condition(POOLED, first.projection() + second.projection(), false));
  }

  @Override
  public boolean isLarge(String name) {
    return name.startsWith(THIRD);
  }

  @Override
  public DType compute(DType other) {
    return third.map(t5 -> t5.compute(other)).orElse(other);
  }

  @Override
  public int mostSkipped() {
    return Math.min(first.layers(), second.layers()) - 2;
  }

  @Override
  public Map<String, Value> encode(Net net, int rows, int clipSkip) {
    Graph g = net.graph();
    ClipText one = new ClipText(first, FIRST, net);
    ClipText two = new ClipText(second, SECOND, net);
    List<Value> ones = one.states(rows, first.layers());
    List<Value> twos = two.states(rows, second.layers());
    // The states before the last layer, without the norm; the pooled ones from the end.
    Value clip =
        Split.join(
            g,
            List.of(
                ones.get(first.layers() - 1 - clipSkip), twos.get(second.layers() - 1 - clipSkip)));
    Map<String, Value> conditions = new LinkedHashMap<>();
    conditions.put(TEXT, third.isPresent() ? withT5(net, clip, rows) : alone(g, clip, rows));
    conditions.put(
        POOLED,
        Split.join(
            g,
            List.of(
                one.pooled(ones.get(first.layers()), rows),
                two.pooled(twos.get(second.layers()), rows))));
    return conditions;
  }

  private Value withT5(Net net, Value clip, int rows) {
    Value t5 = new T5Text(third.orElseThrow().config(), THIRD, net).encode(rows, T5_TOKENS, false);
    return JoinRows.of(net.graph(), padded(net.graph(), clip, rows, first.positions()), t5, rows);
  }

  private Value alone(Graph g, Value clip, int rows) {
    return padded(g, clip, rows, tokens());
  }

  private Value padded(Graph g, Value clip, int rows, int tokens) {
    return Window.pad(
        g,
        clip,
        new Window.Setting(
            rows, tokens, width, 0, 0, first.positions(), first.hidden() + second.hidden()));
  }

  /** T5, which stays frozen, has no layers that could be adapted. */
  @Override
  public void trace(Net net) {
    ClipText one = new ClipText(first, FIRST, net);
    one.pooled(one.states(1, first.layers()).get(first.layers()), 1);
    ClipText two = new ClipText(second, SECOND, net);
    two.pooled(two.states(1, second.layers()).get(second.layers()), 1);
  }

  @Override
  public TextReader reader() {
    Map<String, TokenizerPlace> places = new LinkedHashMap<>();
    places.put(FIRST, tokenizers.get(0));
    places.put(SECOND, tokenizers.get(1));
    return ClipT5Reader.open(places, Set.of(FIRST, SECOND), third);
  }
}
