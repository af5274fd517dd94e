package org.loranative.train.evaluation;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.train.llm.Answers;

/**
 * What base and adapter are asked.
 *
 * @param <S> what a model made of one record; its components stand in the report
 */
interface Exam<S> {
  /** What the report says of each record beside the scores. */
  List<Map<String, Object>> records();

  /** What of them there is, for people: {@code 160 records, 1637 labelled tokens}. */
  String size();

  /** What was left out or cut, in lines. */
  List<String> notes();

  /**
   * What a model makes of each record.
   *
   * @param adapted with the adapters, or the base alone
   */
  List<S> scores(Answers model, boolean adapted);

  /**
   * @param adapted empty if the base is measured alone
   */
  Outcome outcome(List<S> base, Optional<List<S>> adapted);

  /**
   * @param sentences what they say, for people
   */
  record Outcome(List<Figure> figures, List<String> sentences) {}
}
