package org.loranative.model;

import java.nio.file.Path;
import org.loranative.UserException;

/** What to say of a base model that is not there: perhaps it has only its name on the hub. */
public final class MissingBase {
  private MissingBase() {}

  /**
   * @param named how the user named it: a key or an option
   * @param expected what it could be
   */
  public static UserException of(String named, Path path, String expected) {
    String name = path.toString();
    boolean onHub = name.matches("[A-Za-z0-9][\\w.-]*/[A-Za-z0-9][\\w.-]*") && !isFile(name);
    return new UserException(
        named
            + " "
            + name
            + (onHub
                ? " is no folder here, and nothing is downloaded. If it is a model of Hugging"
                    + " Face's hub, fetch it with: pip install huggingface_hub; hf download "
                    + name
                    + " --local-dir "
                    + name
                : " does not exist; name "
                    + expected
                    + " (README, \"Bases and data\", says where one comes from)")
            + ".");
  }

  private static boolean isFile(String name) {
    return name.endsWith(".gguf") || name.endsWith(".safetensors");
  }
}
