package org.loranative.board;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.UserException;
import org.loranative.board.runs.Runs;
import org.loranative.track.TensorBoard;

/** The board's answers over HTTP. */
class BoardTest {
  private static final HttpClient CLIENT = HttpClient.newHttpClient();

  @TempDir private Path folder;
  @TempDir private Path elsewhere;

  private static HttpResponse<String> get(Board board, String path, String... headers)
      throws IOException, InterruptedException {
    HttpRequest.Builder request = HttpRequest.newBuilder(board.address().resolve(path));
    for (int i = 0; i < headers.length; i += 2) {
      request.header(headers[i], headers[i + 1]);
    }
    return CLIENT.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  private static JsonNode json(Board board, String path) throws Exception {
    HttpResponse<String> response = get(board, path);
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    return new ObjectMapper().readTree(response.body());
  }

  private static JsonNode until(Board board, String path, Predicate<JsonNode> enough)
      throws Exception {
    for (int i = 0; i < 200; i++) {
      JsonNode answer = json(board, path);
      answer = path.equals("api/runs") ? answer.path("runs") : answer;
      if (enough.test(answer)) {
        return answer;
      }
      Thread.sleep(50);
    }
    throw new AssertionError("never came: " + json(board, path));
  }

  private static JsonNode curve(Board board, String run, String tag, String more) throws Exception {
    String asked = "{\"curves\":[{\"run\":\"" + run + "\",\"tag\":\"" + tag + "\"}]" + more + "}";
    HttpResponse<String> answer = post(board, "api/curves", asked, OWN);
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    return new ObjectMapper().readTree(answer.body()).path("curves").get(0);
  }

  private static final String[] OWN = {
    "X-Lora-Native", "board", "Content-Type", "application/json"
  };

  private static HttpResponse<String> post(Board board, String path, String body, String... headers)
      throws Exception {
    return CLIENT.send(
        HttpRequest.newBuilder(board.address().resolve(path))
            .headers(headers)
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build(),
        HttpResponse.BodyHandlers.ofString());
  }

  /** Nothing is done for a page elsewhere, and nothing at all on a board that only shows. */
  @Test
  void actsForItsOwnPageAlone() throws Exception {
    write("one", 1e-3);
    String note = "{\"run\":\"one\",\"note\":\"the good one\"}";
    try (Board board = open(Optional.empty())) {
      until(board, "api/runs", r -> r.size() == 1);
      String[] form = {"Content-Type", "text/plain"};
      assertThat(post(board, "api/do/marks", note, form).statusCode()).isEqualTo(403);
      List<String> foreign = new ArrayList<>(List.of(OWN));
      foreign.addAll(List.of("Origin", "https://evil.example"));
      assertThat(post(board, "api/do/marks", note, foreign.toArray(new String[0])).statusCode())
          .isEqualTo(403);
      List<String> other = new ArrayList<>(List.of(OWN));
      other.addAll(List.of("Origin", "http://localhost:1"));
      assertThat(post(board, "api/do/marks", note, other.toArray(new String[0])).statusCode())
          .as("another program's page on this machine")
          .isEqualTo(403);
      assertThat(folder.resolve("one/board.json")).doesNotExist();
      assertThat(post(board, "api/do/marks", note, OWN).statusCode()).isEqualTo(200);
      until(board, "api/runs", r -> r.get(0).path("note").asText().equals("the good one"));
      HttpResponse<String> stop =
          post(board, "api/do/ask", "{\"run\":\"one\",\"what\":\"stop\"}", OWN);
      assertThat(stop.statusCode()).isEqualTo(409);
      HttpResponse<String> bad =
          post(board, "api/do/start", "{\"settings\":{\"lora_rank\":\"-3\"}}", OWN);
      assertThat(bad.statusCode()).isEqualTo(400);
      assertThat(bad.body()).contains("lora_rank");
    }
    Board.Options only =
        new Board.Options(
            List.of(folder), "127.0.0.1", 0, Optional.empty(), true, Optional.empty());
    try (Board board = new Board(only)) {
      assertThat(post(board, "api/do/marks", note, OWN).body()).contains("--read-only");
    }
  }

  /** Of a hundred runs one grows: only it, and only what is new of it, is sent again. */
  @Test
  void sendsOnlyWhatIsNew() throws Exception {
    for (int i = 0; i < 20; i++) {
      write("done-" + i, 1e-3);
    }
    try (Board board = open(Optional.empty());
        TensorBoard live = new TensorBoard(folder.resolve("live/logs"), 1)) {
      for (int i = 1; i <= 1000; i++) {
        live.scalars(i, Map.of("Loss/train", 1.0 / i));
      }
      until(
          board,
          "api/runs",
          r -> r.size() == 21 && r.findValues("complete").stream().allMatch(JsonNode::asBoolean));
      Thread.sleep(3000);
      JsonNode before = json(board, "api/runs");
      JsonNode whole = curve(board, "live", "Loss/train", "");
      live.scalars(1001, Map.of("Loss/train", 0.5));
      JsonNode news = before;
      for (int i = 0; i < 100 && news.path("runs").findValue("step") == null || i == 0; i++) {
        Thread.sleep(100);
        news = json(board, "api/runs?since=" + before.path("now").asLong());
      }
      assertThat(news.path("runs").findValuesAsText("name")).containsOnly("live");
      int have = whole.path("x").size() - 1;
      String asked =
          String.format(
              "{\"curves\":[{\"run\":\"live\",\"tag\":\"Loss/train\",\"level\":%d,\"have\":%d,\"rewinds\":%d}]}",
              whole.path("level").asInt(), have, whole.path("rewinds").asInt());
      JsonNode more =
          new ObjectMapper()
              .readTree(post(board, "api/curves", asked, OWN).body())
              .path("curves")
              .get(0);
      assertThat(more.path("first").asInt()).isEqualTo(have);
      assertThat(more.path("x").size()).isLessThanOrEqualTo(2);
      assertThat(more.path("x").get(more.path("x").size() - 1).asInt()).isEqualTo(1001);
    }
  }

  private Board open(Optional<String> token) {
    return new Board(List.of(folder), "127.0.0.1", 0, token);
  }

  private void write(String run, double rate) throws IOException {
    try (TensorBoard board = new TensorBoard(folder.resolve(run).resolve("logs"), 1)) {
      board.hyperparameters(Map.of("learning_rate", rate, "task_type", "llm"), List.of());
      for (int i = 1; i <= 100; i++) {
        double loss = rate > 0.1 ? 2 + 0.05 * i : 2 + Math.exp(-i / 20.0);
        board.scalars(i, Map.of("Loss/train", loss + 0.01 * Math.sin(i * i)));
      }
      board.text(1, "note", "hello");
    }
  }

  @Test
  void servesRunsCurvesTextsAndSettings() throws Exception {
    write("good", 1e-3);
    write("group/bad", 0.5);
    try (Board board = open(Optional.empty())) {
      JsonNode runs =
          until(board, "api/runs", r -> r.size() == 2 && r.get(1).path("findings").size() > 0);
      assertThat(runs.get(0).path("name").asText()).isEqualTo("good");
      assertThat(runs.get(0).path("severity").asText()).isEqualTo("good");
      assertThat(runs.get(1).path("name").asText()).isEqualTo("group/bad");
      assertThat(runs.get(1).path("verdict").asText()).isIn("divergence", "climbing loss");
      JsonNode curve = curve(board, "good", "Loss/train", ",\"buckets\":16,\"smooth\":0.5");
      assertThat(curve.path("count").asInt()).isEqualTo(100);
      assertThat(curve.path("x")).as("of eight points each").hasSize(13);
      assertThat(curve(board, "good", "Loss/train", ",\"from\":11,\"to\":20").path("low"))
          .hasSize(10);
      assertThat(json(board, "api/texts?run=good").path("note").get(0).path("text").asText())
          .isEqualTo("hello");
      assertThat(runs.get(1).path("settings").path("learning_rate").asText()).isEqualTo("0.5");
      assertThat(get(board, "api/texts?run=none").statusCode()).isEqualTo(404);
      assertThat(get(board, "../../etc/passwd").statusCode()).isEqualTo(404);
      for (String file : List.of("", "main.js", "charts/chart.js", "runs/table.js", "style.css")) {
        assertThat(get(board, file).statusCode()).as(file).isEqualTo(200);
        assertThat(get(board, file).body()).as("nothing from elsewhere").doesNotContain("https://");
      }
      for (String file : List.of("echarts.js")) {
        assertThat(get(board, file).statusCode()).as(file).isEqualTo(200);
      }
    }
  }

  @Test
  void tellsOfWhatGrows() throws Exception {
    write("one", 1e-3);
    try (Board board = open(Optional.empty())) {
      until(board, "api/runs", r -> r.size() == 1 && r.get(0).path("complete").asBoolean());
      URI at = board.address();
      try (Socket socket = new Socket(at.getHost(), at.getPort())) {
        socket
            .getOutputStream()
            .write(
                ("GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    .getBytes(StandardCharsets.US_ASCII));
        BufferedReader lines =
            new BufferedReader(
                new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
        next(lines); // at once, so that a page that comes back is up to date
        write("two", 1e-3);
        socket.setSoTimeout(10_000);
        next(lines);
      }
      until(board, "api/runs", r -> r.size() == 2);
    }
  }

  private static void next(BufferedReader lines) throws IOException {
    String line = lines.readLine();
    while (!line.equals("data: changed")) {
      line = lines.readLine();
    }
  }

  @Test
  void letsInWhoKnowsTheToken() throws Exception {
    try (Board board = open(Optional.of("sesame-open"))) {
      assertThat(get(board, "").statusCode()).isEqualTo(403);
      assertThat(get(board, "?token=wrong").statusCode()).isEqualTo(403);
      HttpResponse<String> first = get(board, "?token=sesame-open");
      assertThat(first.statusCode()).isEqualTo(200);
      String cookie = first.headers().firstValue("Set-Cookie").orElseThrow();
      assertThat(cookie).contains("HttpOnly").contains("SameSite=Strict");
      assertThat(get(board, "api/runs", "Cookie", cookie.split(";")[0]).statusCode())
          .isEqualTo(200);
      assertThat(get(board, "api/runs", "Cookie", "lora_native_board=x").statusCode())
          .isEqualTo(403);
      assertThat(post(board, "api/do/check", "{}", OWN).statusCode())
          .as("who does not know it has nothing done")
          .isEqualTo(403);
      String[] known = {OWN[0], OWN[1], OWN[2], OWN[3], "Cookie", cookie.split(";")[0]};
      assertThat(post(board, "api/do/check", "{}", known).statusCode()).isEqualTo(200);
    }
  }

  @Test
  void takesTheNextFreePortAndWaitsForItsFolder() throws Exception {
    Path later = folder.resolve("later");
    try (Board first = open(Optional.empty());
        Board second =
            new Board(List.of(later), "127.0.0.1", first.address().getPort(), Optional.empty())) {
      assertThat(second.address().getPort())
          .isBetween(first.address().getPort() + 1, first.address().getPort() + 19);
      assertThat(json(second, "api/runs").findValuesAsText("name")).isEmpty();
      write("later/run", 1e-3);
      until(second, "api/runs", runs -> runs.findValuesAsText("name").contains("run"));
    }
  }

  @Test
  void refusesOtherMachinesAndOtherNames() throws Exception {
    assertThatThrownBy(() -> new Board(List.of(folder), "0.0.0.0", 0, Optional.empty()))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("--token");
    try (Board board = open(Optional.empty())) {
      int port = board.address().getPort();
      try (Socket socket = new Socket("127.0.0.1", port)) {
        socket.getOutputStream().write("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n".getBytes());
        byte[] answer = socket.getInputStream().readNBytes(12);
        assertThat(new String(answer)).isEqualTo("HTTP/1.1 403");
      }
    }
  }

  @Test
  void anEmptyFolderIsNoError() throws Exception {
    try (Board board = open(Optional.empty())) {
      assertThat(json(board, "api/runs").path("runs")).isEmpty();
      Files.write(folder.resolve("events.out.tfevents.1"), new byte[] {1, 2, 3});
      until(board, "api/runs", r -> r.size() == 1);
    }
  }

  @Test
  void letsNoFormFrameOrOtherBaseIn() throws Exception {
    try (Board board = open(Optional.empty())) {
      assertThat(get(board, "").headers().firstValue("Content-Security-Policy").orElseThrow())
          .contains("form-action 'none'", "base-uri 'none'", "frame-ancestors 'none'");
    }
    assertThat(Files.readString(Path.of("src/main/resources/board/runs/compare.js")))
        .as("a run's name in a tooltip is text")
        .contains("tooltip: { renderMode: \"richText\"");
  }

  /** Who sends half a request holds a connection, and not for long; others are not kept out. */
  @Tag("slow")
  @Test
  void halfRequestsAreFewAndShort() throws Exception {
    List<Socket> sockets = new ArrayList<>();
    try (Board board = open(Optional.of("sesame-open"))) {
      int before = Thread.activeCount();
      for (int i = 0; i < 300; i++) {
        Socket socket = new Socket("127.0.0.1", board.address().getPort());
        socket.getOutputStream().write("GET / HT".getBytes(StandardCharsets.US_ASCII));
        sockets.add(socket);
      }
      for (int i = 0; i < 40 && Thread.activeCount() - before >= 150; i++) { // the machine's load
        Thread.sleep(500);
      }
      assertThat(Thread.activeCount() - before).isLessThan(150);
      int code = 0;
      for (int i = 0; i < 60 && code == 0; i++) { // at most ten seconds, and the machine's load
        try {
          code = get(board, "?token=sesame-open").statusCode();
        } catch (IOException e) {
          Thread.sleep(500);
        }
      }
      assertThat(code).isEqualTo(200);
    } finally {
      for (Socket socket : sockets) {
        socket.close();
      }
    }
  }

  /** Folders with an event file's name, links that lead back, runs behind links. */
  @Test
  void oddFoldersHideNothing() throws Exception {
    write("real", 1e-3);
    Files.createDirectories(folder.resolve("odd/events.out.tfevents.1.dir"));
    Files.createSymbolicLink(folder.resolve("odd/back"), folder);
    Files.createSymbolicLink(folder.resolve("odd/nowhere"), folder.resolve("gone"));
    try (TensorBoard board = new TensorBoard(elsewhere.resolve("run/logs"), 1)) {
      board.scalars(1, Map.of("Loss/train", 1.0));
    }
    Files.createSymbolicLink(folder.resolve("linked"), elsewhere.resolve("run"));
    try (Board board = open(Optional.empty())) {
      JsonNode runs = until(board, "api/runs", r -> r.size() == 2);
      assertThat(runs.findValuesAsText("name")).containsExactly("linked", "real");
    }
  }

  /** A folder and a file that cannot be read, also by root, hide no other run. */
  @Test
  void unreadableRunsHideNothing() throws Exception {
    write("real", 1e-3);
    write("locked", 1e-3);
    Path locked = folder.resolve("locked/logs");
    Files.createDirectories(folder.resolve("broken"));
    Files.createSymbolicLink(
        folder.resolve("broken/events.out.tfevents.1.x"), Path.of("/proc/self/mem"));
    Files.setPosixFilePermissions(locked, PosixFilePermissions.fromString("---------"));
    try (Board board = open(Optional.empty())) {
      until(board, "api/runs", r -> r.findValuesAsText("name").contains("real"));
      until(
          board,
          "api/runs",
          r -> r.findValuesAsText("points").stream().filter("100"::equals).count() > 0);
      assertThat(curve(board, "real", "Loss/train", "").path("count").asInt()).isEqualTo(100);
      write("later", 1e-3);
      until(board, "api/runs", r -> r.findValuesAsText("name").contains("later"));
    } finally {
      Files.setPosixFilePermissions(locked, PosixFilePermissions.fromString("rwx------"));
    }
  }

  /** Whatever runs out of memory, the thread that reads goes on. */
  @Test
  void readsOnWhereMemoryIsFull() throws Exception {
    write("first", 1e-3);
    CountDownLatch told = new CountDownLatch(3);
    try (Runs runs = new Runs(List.of(folder))) {
      runs.onChange(
          () -> {
            told.countDown();
            if (told.getCount() > 0) {
              throw new OutOfMemoryError("Java heap space");
            }
          });
      for (int i = 0; i < 100 && !told.await(100, TimeUnit.MILLISECONDS); i++) {
        write("run" + i, 1e-3);
      }
      assertThat(told.getCount()).isZero();
    }
  }

  /** PyTorch's folders of hyperparameters are no runs, and a pause is no time of training. */
  @Test
  void takesTogetherWhatIsOneRun() throws Exception {
    try (TensorBoard board = new TensorBoard(folder.resolve("torch"), 1)) {
      board.scalars(1, Map.of("loss", 1.0));
      board.scalars(2, Map.of("loss", 0.9));
    }
    try (TensorBoard board = new TensorBoard(folder.resolve("torch/1764400000.123"), 1)) {
      board.hyperparameters(Map.of("lr", 0.25), List.of());
    }
    try (Board board = open(Optional.empty())) {
      JsonNode runs =
          until(
              board,
              "api/runs",
              r -> r.size() == 1 && r.get(0).path("settings").path("lr").asText().equals("0.25"));
      assertThat(runs.get(0).path("name").asText()).isEqualTo("torch");
      assertThat(runs.get(0).path("tags").get(0).asText()).isEqualTo("loss");
    }
  }
}
