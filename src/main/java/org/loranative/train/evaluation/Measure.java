package org.loranative.train.evaluation;

import java.util.OptionalInt;
import org.loranative.text.Tokenizer;

/** One way of saying how good a language model is on records. */
public interface Measure {
  /** As {@code --measure} calls it. */
  String name();

  /**
   * Makes tokens of the records, once, so that base and adapter are asked the same.
   *
   * @param context tokens that the model was made to read at once, if it says
   * @throws org.loranative.UserException if nothing is left to ask
   */
  Exam<?> exam(Tokenizer tokenizer, OptionalInt context);
}
