package org.loranative.board.samples;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.List;
import org.loranative.board.http.Query;
import org.loranative.board.http.Refused;
import org.loranative.board.runs.RunEntry;
import org.loranative.track.RecordedRun;
import org.loranative.track.RecordedRun.ImageAt;

/** Pictures and texts of a run, by tag and step. */
public final class Samples {
  private static final ObjectMapper JSON = new ObjectMapper();

  private Samples() {}

  /** At which steps there is a picture, by tag. */
  public static JsonNode images(RunEntry run) {
    ObjectNode node = JSON.createObjectNode();
    run.recorded()
        .images()
        .forEach(
            (tag, list) -> {
              ArrayNode steps = node.putArray(tag);
              list.forEach(i -> steps.add(i.step()));
            });
    return node;
  }

  /** The bytes of a picture. */
  public static byte[] image(RunEntry run, Query query) throws IOException {
    String tag = query.text("tag");
    List<ImageAt> all = run.recorded().images().getOrDefault(tag, List.of());
    long i = query.number("index", 0);
    if (i < 0 || i >= all.size()) {
      throw Refused.notThere("there is no such picture");
    }
    return RecordedRun.image(all.get((int) i), tag);
  }

  /** What kind of picture it is, by its first bytes. */
  public static String type(byte[] image) {
    if (image.length > 3 && (image[0] & 0xff) == 0xff && (image[1] & 0xff) == 0xd8) {
      return "image/jpeg";
    }
    if (image.length > 12 && image[0] == 'R' && image[8] == 'W') {
      return "image/webp";
    }
    return image.length > 3 && image[0] == 'G' && image[1] == 'I' ? "image/gif" : "image/png";
  }

  public static JsonNode texts(RunEntry run) {
    ObjectNode node = JSON.createObjectNode();
    run.recorded()
        .texts()
        .forEach(
            (tag, list) -> {
              ArrayNode texts = node.putArray(tag);
              list.forEach(t -> texts.addObject().put("step", t.step()).put("text", t.text()));
            });
    return node;
  }
}
