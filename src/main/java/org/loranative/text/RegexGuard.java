package org.loranative.text;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.loranative.UserException;

/**
 * Tries a text with a tokenizer's regular expressions before the tokenizer does. One that tries a
 * text in ever more ways, by mistake or malice, would end the whole process there: the native
 * library aborts after ten million steps. Here the steps are counted.
 */
final class RegexGuard {
  private static final long STEPS = 1 << 22;
  private static final int STEPS_PER_CHAR = 32;

  /** Matches nothing, but where a group is referred to Java remembers no dead ends either. */
  private static final String WITHOUT_MEMORY = "|(?!)(?<none>)\\k<none>";

  private final String source;
  private final List<Pattern> patterns = new ArrayList<>();
  private final List<String> regexes = new ArrayList<>();

  /**
   * @param source of the tokenizer, for messages
   * @param json its {@code tokenizer.json}
   */
  RegexGuard(String source, JsonNode json) {
    this.source = source;
    for (String part : List.of("normalizer", "pre_tokenizer", "decoder")) {
      for (JsonNode regex : json.path(part).findValues("Regex")) {
        add(regex.asText());
      }
    }
  }

  private void add(String regex) {
    try {
      patterns.add(Pattern.compile("(?:" + regex + ")" + WITHOUT_MEMORY));
      regexes.add(regex);
    } catch (PatternSyntaxException e) {
      // Written for another dialect; without a repeated group it cannot go far astray.
      if (regex.matches("(?s).*\\)[*+{].*")) {
        throw new UserException(
            "The tokenizer of "
                + source
                + " has a regular expression that cannot be checked: "
                + regex,
            e);
      }
    }
  }

  void check(String text) {
    for (int i = 0; i < patterns.size(); i++) {
      Counted counted = new Counted(text);
      Matcher matcher = patterns.get(i).matcher(counted);
      try {
        while (matcher.find()) {
          counted.steps = 0;
        }
      } catch (TooManySteps | StackOverflowError e) {
        throw new UserException(
            "The tokenizer of "
                + source
                + " has a regular expression that does not come to an end on this text: "
                + regexes.get(i)
                + ". Get the tokenizer again from where the model was published.",
            e);
      }
    }
  }

  private static final class TooManySteps extends RuntimeException {}

  /** A text that counts how often it is looked at. */
  private static final class Counted implements CharSequence {
    private final String text;
    private final long limit;
    private long steps;

    Counted(String text) {
      this.text = text;
      this.limit = STEPS + (long) STEPS_PER_CHAR * text.length();
    }

    @Override
    public char charAt(int i) {
      if (++steps > limit) {
        throw new TooManySteps();
      }
      return text.charAt(i);
    }

    @Override
    public int length() {
      return text.length();
    }

    @Override
    public CharSequence subSequence(int from, int to) {
      return text.substring(from, to);
    }

    @Override
    public String toString() {
      return text;
    }
  }
}
