package org.loranative.board.actions;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A run that was started from the page, or waits to be. */
final class Job {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int TAIL = 4000;

  final long id;
  final String title;
  final List<String> arguments;
  final Path output;
  String state = "waiting";
  int exit;
  Process process;

  /**
   * @param arguments of {@code lora-native}
   * @param output takes what it prints
   */
  Job(long id, String title, List<String> arguments, Path output) {
    this.id = id;
    this.title = title;
    this.arguments = List.copyOf(arguments);
    this.output = output;
  }

  boolean isOver() {
    return !state.equals("waiting") && !state.equals("running");
  }

  ObjectNode describe() {
    ObjectNode node = JSON.createObjectNode().put("id", id).put("title", title);
    node.put("state", state).put("exit", exit).put("command", String.join(" ", arguments));
    node.put("output", tail());
    return node;
  }

  private String tail() {
    try {
      if (!Files.isRegularFile(output)) {
        return "";
      }
      String all = new String(Files.readAllBytes(output), StandardCharsets.UTF_8);
      String clean = all.replaceAll("\u001b\\[[0-9;?]*[A-Za-z]", "").replaceAll(".*\r(?!\n)", "");
      return clean.substring(Math.max(0, clean.length() - TAIL)).strip();
    } catch (IOException e) {
      return "";
    }
  }
}
