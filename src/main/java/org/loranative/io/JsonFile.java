package org.loranative.io;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import org.loranative.UserException;

/** The JSON files beside weights. */
public final class JsonFile {
  private static final ObjectMapper JSON = new ObjectMapper();

  private JsonFile() {}

  /** What is wrong with JSON, in words. */
  public static String problem(JacksonException e) {
    return e.getOriginalMessage().replaceAll(" \\(start marker at \\[[^\\]]*\\]\\)", "");
  }

  /**
   * @throws UserException that names the file and what is wrong with it
   */
  public static JsonNode read(Path file) {
    try {
      JsonNode node = JSON.readTree(file.toFile());
      if (node.isMissingNode()) {
        throw new UserException(file + " is empty; download it again.");
      }
      return node;
    } catch (JacksonException e) {
      LfsPointer.refuse(file);
      int line = e.getLocation() == null ? 1 : e.getLocation().getLineNr();
      throw new UserException(file + " line " + line + " is not JSON: " + problem(e) + ".", e);
    } catch (IOException e) {
      throw new UserException(file + " cannot be read: " + UserException.reason(e) + ".", e);
    }
  }
}
