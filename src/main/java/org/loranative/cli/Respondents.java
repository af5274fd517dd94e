package org.loranative.cli;

import java.util.Optional;
import org.loranative.train.llm.Answers;
import org.loranative.train.llm.Respondent;

/** A model with its adapters, and the base alone once somebody asks for it. */
final class Respondents implements AutoCloseable {
  private final Answers answers;
  private final int context;
  private final Respondent adapted;
  private Optional<Respondent> base = Optional.empty();

  Respondents(Answers answers, int context) {
    this.answers = answers;
    this.context = context;
    this.adapted = answers.respondent(context, true);
  }

  Respondent adapted() {
    return adapted;
  }

  Respondent base() {
    Respondent opened = base.orElseGet(() -> answers.respondent(context, false));
    base = Optional.of(opened);
    return opened;
  }

  @Override
  public void close() {
    adapted.close();
    base.ifPresent(Respondent::close);
  }
}
