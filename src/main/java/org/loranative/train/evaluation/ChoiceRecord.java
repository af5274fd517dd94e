package org.loranative.train.evaluation;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.loranative.UserException;
import org.loranative.data.Records;
import org.loranative.data.Source;

/**
 * A question with answers to choose from.
 *
 * @param answer index of the right one
 */
record ChoiceRecord(Source source, String question, List<String> choices, int answer) {
  private static final String EXPECTED =
      "expected {\"question\": \"…\", \"choices\": [\"…\", \"…\"], \"answer\": 0}";

  /**
   * @throws UserException that names file, line and key
   */
  static ChoiceRecord of(Records.Raw raw) {
    Reader reader = new Reader(raw.source());
    List<String> choices = reader.choices(raw.fields());
    return new ChoiceRecord(
        raw.source(), reader.question(raw.fields()), choices, reader.answer(raw.fields(), choices));
  }

  /** Reads fields, and says where they are wrong. */
  private record Reader(Source source) {
    private UserException wrong(String what) {
      return new UserException(source + ": " + what + ".");
    }

    String question(JsonNode fields) {
      if (fields.has("question") && fields.has("prompt")) {
        throw wrong("it has a question and a prompt; expected one of them");
      }
      JsonNode text = fields.has("question") ? fields.path("question") : fields.path("prompt");
      if (!text.isTextual() || text.asText().isBlank()) {
        throw wrong("\"question\" (or \"prompt\") is missing, empty or not text; " + EXPECTED);
      }
      return text.asText();
    }

    List<String> choices(JsonNode fields) {
      JsonNode list = fields.path("choices");
      if (!list.isArray() || list.size() < 2) {
        throw wrong("\"choices\" must be a list of at least two texts; " + EXPECTED);
      }
      List<String> choices = new ArrayList<>();
      for (JsonNode choice : list) {
        if (!choice.isTextual() || choice.asText().isBlank()) {
          throw wrong(
              "choice "
                  + choices.size()
                  + " is "
                  + choice
                  + ", but must be a text (numbers in quotes)");
        }
        if (choices.contains(choice.asText())) {
          throw wrong("\"" + choice.asText() + "\" is among the choices twice");
        }
        choices.add(choice.asText());
      }
      return choices;
    }

    int answer(JsonNode fields, List<String> choices) {
      JsonNode answer = fields.path("answer");
      int last = choices.size() - 1;
      if (answer.isIntegralNumber()) {
        if (!answer.canConvertToInt() || answer.asInt() < 0 || answer.asInt() > last) {
          throw wrong(
              "\"answer\" is "
                  + answer
                  + ", but the choices count from 0 to "
                  + last
                  + " (an answer's text stands in quotes)");
        }
        return answer.asInt();
      }
      if (!answer.isTextual()) {
        throw wrong(
            "\"answer\" is missing or neither a number from 0, a letter nor a choice's text; "
                + EXPECTED);
      }
      int place = choices.indexOf(answer.asText());
      String letter = answer.asText().strip().toUpperCase(Locale.ROOT);
      int index = letter.length() == 1 ? letter.charAt(0) - 'A' : -1;
      boolean isLetter = index >= 0 && index <= Math.min(last, 25);
      if (place >= 0 && isLetter && place != index) {
        throw wrong(
            "\"answer\" is "
                + answer
                + ", which is the text of choice "
                + place
                + " and the letter of choice "
                + index
                + "; give its number, from 0");
      }
      if (place >= 0) {
        return place;
      }
      if (!isLetter) {
        throw wrong(
            "\"answer\" is "
                + answer
                + ", which is none of the choices, and no letter from A to "
                + (char) ('A' + Math.min(last, 25)));
      }
      return index;
    }
  }
}
