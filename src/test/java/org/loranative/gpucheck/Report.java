package org.loranative.gpucheck;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.function.Consumer;

/** Results on the way to {@code benchmarks/gpu_check}: marked lines of JSON on standard output. */
public final class Report {
  private static final String MARK = "@gpu-check ";
  private static final ObjectMapper JSON = new ObjectMapper();

  private Report() {}

  public static void line(Consumer<ObjectNode> fill) {
    ObjectNode line = JSON.createObjectNode();
    fill.accept(line);
    synchronized (System.out) {
      System.out.println(MARK + line);
      System.out.flush();
    }
  }
}
