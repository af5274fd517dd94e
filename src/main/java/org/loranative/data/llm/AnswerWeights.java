package org.loranative.data.llm;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/**
 * Which answers a record wants learnt: a message's {@code weight} (OpenAI's) or {@code loss_mask},
 * or a {@code loss_mask} for all messages beside their list.
 */
final class AnswerWeights {
  private AnswerWeights() {}

  /**
   * @param number of the message, from 1
   * @param count of all messages
   */
  static boolean learns(JsonNode message, JsonNode record, int number, int count)
      throws FormatException {
    boolean learns = true;
    for (String key : List.of("weight", "loss_mask")) {
      if (message.hasNonNull(key)) {
        learns &= isOne(message.path(key), "message " + number + " has the " + key + " ");
      }
    }
    JsonNode all = record.path("loss_mask");
    if (all.isArray() && all.size() == count) {
      return isOne(all.path(number - 1), "loss_mask of message " + number + " is ") && learns;
    }
    if (record.hasNonNull("loss_mask")) {
      throw new FormatException("loss_mask must be a list with 0 or 1 for each message");
    }
    return learns;
  }

  private static boolean isOne(JsonNode node, String what) throws FormatException {
    boolean known =
        node.isBoolean() || node.isNumber() && (node.asDouble() == 0 || node.asDouble() == 1);
    if (!known) {
      throw new FormatException(what + node + ", but only 0 and 1 are understood");
    }
    return node.asBoolean() || node.asDouble() == 1;
  }
}
