package org.loranative.model.llm;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.loranative.UserException;
import org.loranative.lora.Adapters;
import org.loranative.lora.SavedModules;

/**
 * What of a base can be trained as a whole: its embedding and its head, one where they are tied.
 *
 * @param base its path, for messages
 * @param embedding the embedding's module, and head the head's: the same where they are tied
 * @param tiesByConfig whether its configuration says that they are
 * @param added whether it has more tokens than its files
 */
public record TrainedWhole(
    Path base,
    String embedding,
    String head,
    int hidden,
    int vocab,
    boolean tiesByConfig,
    boolean added) {
  /** The embedding, and the head where it is a matrix of its own. */
  public List<Adapters.Target> targets() {
    List<Adapters.Target> targets = new ArrayList<>(List.of(target(embedding)));
    if (!isTied()) {
      targets.add(target(head));
    }
    return targets;
  }

  /** Whether embedding and head are one matrix. */
  boolean isTied() {
    return head.equals(embedding);
  }

  private Adapters.Target target(String path) {
    return new Adapters.Target(path, hidden, vocab);
  }

  /**
   * Those that {@code modules_to_save} names, in the model's order.
   *
   * @throws UserException if it names others
   */
  public List<Adapters.Target> named(List<String> names) {
    Set<Adapters.Target> targets = new LinkedHashSet<>();
    for (String name : names) {
      if (name.equals(SavedModules.EMBEDDING) || name.equals(embedding)) {
        targets.add(target(embedding));
      } else if (name.equals(SavedModules.HEAD)) {
        targets.add(target(head));
      } else {
        throw new UserException(
            "modules_to_save: \""
                + name
                + "\" cannot be trained as a whole; embed_tokens and lm_head can. Layers get"
                + " adapters by lora_targets.");
      }
    }
    if (!targets.isEmpty() && !isTied() && tiesByConfig) {
      throw new UserException(
          String.format(
              "modules_to_save: %s has a head of its own in its file, but ties it to the embedding"
                  + " by its config.json (tie_word_embeddings), so what is trained would be loaded"
                  + " otherwise elsewhere. Save the base again with transformers"
                  + " (save_pretrained), which writes one of them.",
              base));
    }
    requireRows(targets);
    return targets().stream().filter(targets::contains).toList();
  }

  /** Rows of new tokens say nothing until they are trained. */
  private void requireRows(Set<Adapters.Target> trained) {
    if (added && !trained.containsAll(targets())) {
      throw new UserException(
          "add_tokens: the rows of new tokens have to be trained in embedding and head. Set"
              + " modules_to_save: [embed_tokens"
              + (isTied() ? "]." : ", lm_head]."));
    }
  }
}
