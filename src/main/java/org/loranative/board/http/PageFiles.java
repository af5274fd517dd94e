package org.loranative.board.http;

import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import java.util.regex.Pattern;

/** The page's own files, out of the jar. */
public final class PageFiles {
  private static final Map<String, String> LIBRARIES =
      Map.of("/echarts.js", "META-INF/resources/webjars/echarts/5.3.1/dist/echarts.min.js");

  /** No dots but the last: no way leads out of the folder. */
  private static final Pattern MODULE = Pattern.compile("(/[a-z]+){1,2}\\.(js|css)");

  private PageFiles() {}

  public static void send(HttpExchange exchange, String path) throws IOException {
    String resource =
        path.equals("/")
            ? "board/index.html"
            : LIBRARIES.getOrDefault(path, MODULE.matcher(path).matches() ? "board" + path : "");
    if (resource.isEmpty()) {
      throw Refused.notThere("there is nothing at " + path);
    }
    try (InputStream in = PageFiles.class.getClassLoader().getResourceAsStream(resource)) {
      if (in == null) {
        throw Refused.notThere("there is nothing at " + path);
      }
      Reply.send(exchange, 200, type(resource), in.readAllBytes());
    }
  }

  private static String type(String resource) {
    if (resource.endsWith(".js")) {
      return "text/javascript; charset=utf-8";
    }
    return resource.endsWith(".css") ? "text/css; charset=utf-8" : "text/html; charset=utf-8";
  }
}
