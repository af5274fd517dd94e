package org.loranative.train.evaluation;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.loranative.Counted;
import org.loranative.UserException;
import org.loranative.data.Records;

/**
 * Records to be measured, and how they are read.
 *
 * @param format of records, or {@code auto}
 * @param system prompt of conversations that have none
 * @param maxLength most tokens of a record
 */
public record HeldOut(
    Path path, Records records, String format, Optional<String> system, int maxLength) {
  private static final int SHOWN = 3;

  public HeldOut {
    if (records.records().isEmpty()) {
      throw new UserException(
          path + " holds no record" + because(records.skipped()) + "; expected a record a line.");
    }
  }

  private static String because(List<Records.Skipped> skipped) {
    return skipped.isEmpty() ? "" : " that can be read (" + skipped.get(0) + ")";
  }

  /** In lines for people. */
  static List<String> leftOut(List<Records.Skipped> skipped) {
    List<String> lines =
        new ArrayList<>(skipped.stream().limit(SHOWN).map(s -> "Left out: " + s + ".").toList());
    if (skipped.size() > SHOWN) {
      lines.add("And " + Counted.of(skipped.size() - SHOWN, "record") + " more left out.");
    }
    return lines;
  }

  /** Most tokens of a record, as the user and the model will have it. */
  int within(OptionalInt context) {
    return Math.min(maxLength, context.orElse(maxLength));
  }

  /** Why a record is left out. */
  static String tooLong(String what, int tokens, int most) {
    return String.format(
        "%s takes %d tokens, but --max-length and the model allow %d", what, tokens, most);
  }

  /** To be called where no record is a conversation. */
  void requireNoSystem() {
    if (system.isPresent()) {
      throw new UserException(
          "--system is for conversations, but " + path + " holds none; leave it away.");
    }
  }

  /** That no record is left, and why. */
  UserException nothing(String measure, List<Records.Skipped> skipped) {
    boolean choices = records.records().stream().allMatch(r -> r.fields().has("choices"));
    return new UserException(
        String.format(
            "No record of %s can be measured by %s (%s).%s",
            path,
            measure,
            skipped.isEmpty() ? "it is empty" : skipped.get(0),
            choices ? " Records with choices are for --measure choice." : ""));
  }
}
