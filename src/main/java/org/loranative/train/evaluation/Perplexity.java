package org.loranative.train.evaluation;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.loranative.Counted;
import org.loranative.data.Records;
import org.loranative.data.Source;
import org.loranative.data.llm.Example;
import org.loranative.data.llm.ExampleEncoder;
import org.loranative.text.Tokenizer;
import org.loranative.train.llm.Answers;

/**
 * How well a model foretells the labelled tokens: those that training learns.
 *
 * @param trainOn as in training's settings
 */
public record Perplexity(HeldOut data, String trainOn) implements Measure {
  public static final String NAME = "perplexity";

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Exam<Score> exam(Tokenizer tokenizer, OptionalInt context) {
    int most = data.within(context);
    ExampleEncoder.Result result =
        new ExampleEncoder(tokenizer, data.format(), trainOn, most, data.system())
            .encode(data.records());
    List<Records.Skipped> skipped = result.skipped();
    if (result.examples().isEmpty()) {
      throw data.nothing(NAME, skipped);
    }
    if (result.conversations() == 0) {
      data.requireNoSystem();
    }
    List<String> notes = new ArrayList<>(HeldOut.leftOut(skipped));
    if (result.truncated() > 0) {
      notes.add(
          String.format(
              "%s cut to %d tokens (--max-length, and what the model can read): %s lost.",
              Counted.of(result.truncated(), "record"),
              most,
              Counted.of(result.lostTokens(), "token")));
    }
    result.warnings().forEach(w -> notes.add(w + "."));
    Map<Source, List<Example>> records = new LinkedHashMap<>();
    result
        .examples()
        .forEach(e -> records.computeIfAbsent(e.source(), s -> new ArrayList<>()).add(e));
    return new Labelled(result.examples(), records, notes);
  }

  /**
   * What a model lost on a record.
   *
   * @param nats −log p summed over its labelled tokens
   * @param loss of a token
   */
  record Score(double nats, int tokens, double loss) {}

  /** A long text makes several examples, which are one record still. */
  private record Labelled(
      List<Example> examples, Map<Source, List<Example>> bySource, List<String> notes)
      implements Exam<Score> {
    @Override
    public List<Map<String, Object>> records() {
      return bySource.keySet().stream()
          .map(s -> Map.<String, Object>of("record", s.toString()))
          .toList();
    }

    @Override
    public String size() {
      return Counted.of(bySource.size(), "record")
          + ", "
          + Counted.of(Labelled.tokens(examples), "labelled token");
    }

    private static int tokens(List<Example> some) {
      return some.stream().mapToInt(Example::labelled).sum();
    }

    @Override
    public List<Score> scores(Answers model, boolean adapted) {
      double[] losses = model.losses(examples, adapted);
      Map<Source, Double> sums = new LinkedHashMap<>();
      for (int i = 0; i < losses.length; i++) {
        sums.merge(examples.get(i).source(), losses[i], Double::sum);
      }
      List<Score> scores = new ArrayList<>();
      bySource.forEach(
          (source, parts) -> {
            int tokens = tokens(parts);
            scores.add(new Score(sums.get(source), tokens, sums.get(source) / tokens));
          });
      return scores;
    }

    @Override
    public Outcome outcome(List<Score> base, Optional<List<Score>> adapted) {
      Estimate byToken = byToken(base).notNegative();
      Figure loss =
          new Figure(
              "loss_per_token",
              "loss per token",
              Unit.NATS,
              byToken,
              adapted.map(
                  a -> nats(byToken(a).notNegative(), byToken(less(a, base)), base.size())));
      Figure perplexity =
          new Figure(
              "perplexity",
              "perplexity",
              Unit.PERPLEXITY,
              byToken.map(Math::exp),
              loss.comparison()
                  .map(
                      c ->
                          new Figure.Comparison(
                              c.adapted().map(Math::exp),
                              c.change().map(Math::exp),
                              Unit.TIMES,
                              c.verdict())));
      Figure byRecord =
          new Figure(
              "loss_per_record",
              "loss per record",
              Unit.NATS,
              byRecord(base).notNegative(),
              adapted.map(
                  a -> nats(byRecord(a).notNegative(), byRecord(less(a, base)), base.size())));
      return new Outcome(
          List.of(loss, perplexity, byRecord),
          loss
              .comparison()
              .map(c -> Sentences.verdict(loss, base.size(), c.change().needed(base.size())))
              .stream()
              .toList());
    }

    private static Figure.Comparison nats(Estimate adapted, Estimate change, int records) {
      return new Figure.Comparison(
          adapted, change, Unit.NATS_BY, Verdict.of(change, true, records, true));
    }

    private static Estimate byToken(List<Score> scores) {
      return Means.ratio(
          scores.stream().mapToDouble(Score::nats).toArray(),
          scores.stream().mapToDouble(Score::tokens).toArray());
    }

    private static Estimate byRecord(List<Score> scores) {
      return Means.of(scores.stream().mapToDouble(Score::loss).toArray());
    }

    private static List<Score> less(List<Score> a, List<Score> b) {
      return IntStream.range(0, a.size())
          .mapToObj(
              i ->
                  new Score(
                      a.get(i).nats() - b.get(i).nats(),
                      a.get(i).tokens(),
                      a.get(i).loss() - b.get(i).loss()))
          .toList();
    }
  }
}
