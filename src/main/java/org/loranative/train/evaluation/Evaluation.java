package org.loranative.train.evaluation;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.loranative.train.llm.Answers;

/** Measures a model with its adapters and without, on the same tokens. */
public record Evaluation(List<Measure> measures) {
  /**
   * @param model whose weights serve both
   * @param adapted whether it has adapters; else the base is measured alone
   */
  public List<Result> run(Answers model, boolean adapted) {
    List<Exam<?>> exams = new ArrayList<>(); // all refusals come before the first measurement
    for (Measure m : measures) {
      exams.add(m.exam(model.tokenizer(), model.context()));
    }
    List<Result> results = new ArrayList<>();
    for (int i = 0; i < exams.size(); i++) {
      results.add(result(measures.get(i).name(), exams.get(i), model, adapted));
    }
    return results;
  }

  private static <S> Result result(String name, Exam<S> exam, Answers model, boolean adapted) {
    List<S> base = exam.scores(model, false);
    return Result.of(
        name, exam, base, adapted ? Optional.of(exam.scores(model, true)) : Optional.empty());
  }
}
