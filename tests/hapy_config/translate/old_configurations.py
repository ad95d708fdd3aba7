"""Configurations as they were written for HAProxy 1.3 to 2.0; `{pem}` is a certificate."""

CONFIGURATIONS = {
    "any-line": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
 acl inside src 10.0.0.0/8
 timeout tarpit 1s
 reqipass ^X-Keep:\ yes
 reqiallow ^Host:\ ok
 reqdel ^X-Q
 reqideny . unless inside
 reqdeny ^(TRACE|TRACK)
 reqitarpit .* if { path /t }
""",
    "acl-old": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
 acl x hdr(host) -i a.example
 acl x hdr(host) -f /dev/null
 acl m method GET HEAD
 acl n always_true
 acl d dst_conn gt 10
 acl t src_port 1024:65535
 acl u url_sub x
 acl v url_ip 1.2.3.4
 acl nb nbsrv(web) lt 1
 http-request deny if m d
 redirect location /z if nb
""",
    "adds": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
 reqadd X-Forwarded-Proto:\ https
 reqadd X-Proto:\ SSL if { dst_port 443 }
 rspadd Strict-Transport-Security:\ max-age=15768000
 rspadd Via:\ 1.1\ lb unless { status 500 }
 reqadd Connection:\ close
 reqadd X-Percent:\ 100%
""",
    "allow-tarpit": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
 timeout tarpit 5s
 reqallow ^Host:\ good\.
 reqitarpit ^[^:\ ]*\ .*/phpmyadmin
 reqtarpit ^User-Agent:\ bad
 reqiallow ^Host:\ ok
""",
    "appsession": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
 appsession JSESSIONID len 52 timeout 3h
 cookie SRV insert
""",
    "appsession2": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
 appsession ASPSESSIONID len 64 timeout 3h request-learn prefix
""",
    "bind-old": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
frontend f :8080,:8081
 bind 127.0.0.1:8082 interface lo mss 1400
 bind :8083-8085 defer-accept transparent
 bind /tmp/x.sock uid 0 gid 0 mode 600 accept-proxy
 id 10
 default_backend b
backend b
 server a 127.0.0.1:8001
""",
    "block": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
 acl bad path_end .exe
 acl local src 127.0.0.0/8
 block if bad
 block unless local
 block if !local { path_beg /x }
 http-request set-header X-A b
""",
    "comments": r"""# top
defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000

listen  web   0.0.0.0:8080   # the site
	# inner
	reqadd X-A:\ b   # why
	redispatch   # old

	server a 127.0.0.1:8001
""",
    "compression": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
 compression algo gzip
 compression type text/html text/plain
 compression offload
""",
    "dels": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
 reqidel ^X-Forwarded-For:.*
 rspidel ^Server:.*
 rspdel ^X-Powered-By
 reqidel ^(X-A|X-B):
""",
    "denies": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
 reqdeny ^[^:\ ]*\ .*cmd\.exe
 reqideny ^Host:\ evil\.
 reqideny ^[^:\ ]*\ /admin if !{ src 10.0.0.0/8 }
 rspdeny ^Set-Cookie:\ admin=
 reqideny ^GET\ /secret
 reqdeny ^User-Agent:\ .*(bot|spider)
""",
    "dispatch": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen d 0.0.0.0:8080
 dispatch 127.0.0.1:8001
 option redispatch
""",
    "errorloc": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
 errorloc 503 http://sorry.example/
 errorloc302 502 http://sorry.example/
 errorfile 500 /dev/null
 redirect location / if { path /x }
 redirect prefix http://x drop-query code 301 if { path_beg /y }
""",
    "fetches": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
frontend f :8080
 acl a hdr_dom(host) -i example.com
 acl b hdr_cnt(cookie) gt 1
 acl c srv_conn(b/a) gt 1
 acl d sc0_conn_cur gt 10
 acl e sc1_http_req_rate gt 5
 acl f connslots(b) lt 1
 acl g wait_end
 acl h src_get_gpc0(f) gt 0
 acl i url_dir /x
 acl j cook_beg(a) x
 acl k hdr_val(content-length) gt 10
 acl l path_dom x
 acl m be_sess_rate(b) gt 10
 acl n req_proto_http
 acl o shdr(x) y
 acl p scook(a) b
 acl q req_ver 1.1
 acl r resp_ver 1.1
 acl s http_auth(u)
 stick-table type ip size 1k store gpc0,conn_cur,http_req_rate(10s)
 tcp-request connection track-sc0 src
 tcp-request connection track-sc1 src
 tcp-request content accept if HTTP
 use_backend b if a or b
 use_backend b if c d e
 use_backend b if i or j
 use_backend b if q
 http-request deny if d
 default_backend b
backend b
 server a 127.0.0.1:8001
userlist u
 user a insecure-password b
""",
    "grace": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
 grace 100
 maxconn 10
 backlog 10
 rate-limit sessions 10
""",
    "http-request-old": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
 http-request allow if { src 10.0.0.0/8 }
 http-request auth realm x if { path /p }
 http-request add-header X-SSL %[ssl_fc]
 http-request set-header X-H %[hdr(host)]
 http-request tarpit if { path /t }
 http-response set-header X-S %[srv_id]
 http-request redirect location /x if { path /r }
 timeout tarpit 3s
""",
    "httpchk": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
 option httpchk HEAD /check HTTP/1.1\r\nHost:\ www.example
 http-check expect status 200
""",
    "httpchk2": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
 option httpchk GET /check HTTP/1.0\r\nHost:\ www\r\nUser-Agent:\ lb\r\nAuthorization:\ Basic\ YTpi
 http-check expect ! rstatus ^5
 http-check expect rstring ok
 http-check send-state
""",
    "httpchk3": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
 option httpchk
 http-check expect string OK
 http-check disable-on-404
""",
    "httpchk4": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
 option httpchk /check.txt
 option smtpchk
 option ssl-hello-chk
 option mysql-check user x
 option httpchk OPTIONS * HTTP/1.1\r\nHost:\ www
""",
    "listen-ports": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen many 127.0.0.1:8080-8085,:9000
 server a 127.0.0.1:8001
frontend x *:9100
 default_backend many
""",
    "log": r"""global
 log 127.0.0.1 local0 notice
 log 127.0.0.1:514 local1 info
 log-send-hostname lb
 log-tag x
defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
 log global
 option dontlognull
 option log-separate-errors
 option httplog
 log-format %ci:%cp\ [%t]\ %Tq/%Tw\ %ST\ %b/%s\ %{+Q}r
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
 capture cookie JSESSIONID len 32
 capture request header Host len 20
 capture response header Location len 20
""",
    "mode-health": r"""listen h 0.0.0.0:8081
 mode health
defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
""",
    "monitor-net": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
 monitor-net 192.168.0.0/24
 monitor-uri /haproxy_test
 http-request deny if { path /x }
""",
    "nbproc": r"""global
 nbproc 4
 cpu-map 1 0
 cpu-map 2 1
 cpu-map odd 0-3
 stats socket /tmp/s1 process 1 level admin
 stats bind-process 1
defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
frontend f
 bind :8080 process 1
 bind :8443 process 2-4 name b
 bind-process 1 2
 default_backend b
backend b
 bind-process all
 server a 127.0.0.1:8001
""",
    "nbproc1": r"""global
 nbproc 1
defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
 bind-process even
""",
    "nolf": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
 redispatch""",
    "options": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
 option forceclose
 option httpclose
 option forwardfor
 option http-server-close
 option tcp-smart-connect
 option tcp-smart-accept
 option httplog clf
 option logasap
 option persist
 option http-no-delay
 option nolinger
""",
    "reqrep-host": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
 reqirep ^Host:\ www\.(.*) Host:\ \1
 reqrep ^Host:.* Host:\ fixed.example
 reqirep ^Host:\ (.*):8080$ Host:\ \1 if { src 10.0.0.0/8 }
""",
    "reqrep-method": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
 reqrep ^HEAD\ (.*) GET\ \1
 reqirep ^OPTIONS\ (.*)\ (HTTP/.*) GET\ \1\ \2
""",
    "reqrep-prefix": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
 reqrep ^([^\ :]*)\ /static/(.*)     \1\ /\2
 reqirep ^(GET|POST)\ /App/(.*) \1\ /app/\2
""",
    "reqrep-query": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
 reqrep ^([^\ ]*)\ /index\.php\?id=([0-9]+)(.*) \1\ /page/\2\3
 reqrep ^([^\ ]*\ )/(.*) \1/base/\2
 reqrep ^([^\ ]*\ /)old/(.*) \1new/\2
""",
    "reqrep-rename": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
 reqrep ^X-Old:\ (.*) X-New:\ \1
 reqirep ^Authorization:\ (.*) X-Auth:\ \1
 rsprep ^X-Powered-By:(.*) X-By:\1
""",
    "resolvers": r"""resolvers dns
 nameserver a 127.0.0.1:53
 resolve_retries 3
 timeout retry 1s
 hold valid 10s
defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
 server r www.localhost:80 resolvers dns resolve-prefer ipv4
""",
    "rsprep-status": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
 rsprep ^HTTP/1.1\ 503\ (.*) HTTP/1.1\ 502\ \1
 rsprep ^HTTP/1\.[01]\ 404\ .* HTTP/1.1\ 410\ Gone
 rspirep ^HTTP/1.0\ 200(.*) HTTP/1.1\ 200\1
""",
    "rsprep": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
 rspirep ^Location:\ http://([^/]*)/(.*) Location:\ https://\1/\2
 rsprep ^Location:\ 127\.0\.0\.1:8080(.*) Location:\ www.example\1
 rspirep ^(Set-Cookie:.*) \1;\ Secure
 rsprep ^Server:.* Server:\ x
""",
    "server-old": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen l 0.0.0.0:8080
 server noopt 127.0.0.1:8001 check
 server noport 127.0.0.1 check port 80
 server rel 127.0.0.1:+100
 server cookie 127.0.0.1:8002 cookie A check inter 2000 rise 2 fall 5 weight 10 maxconn 20 minconn 5 redir http://x source 0.0.0.0
 server tracked 127.0.0.1:8009 track noopt
 server non-stick 127.0.0.1:8003 non-stick
 server na 127.0.0.1:8004 no-send-proxy-v2 observe layer7
 cookie SRV insert indirect nocache postonly
 balance url_param userid check_post
 balance hdr(User-Agent)
 balance uri
 hash-type consistent
 fullconn 100
""",
    "setbe": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
 reqisetbe ^Host:\ img img
 reqsetbe ^[^\ ]*\ /img/ img if { src 10.0.0.0/8 }
backend img
 server i 127.0.0.1:8002
""",
    "sni": r"""defaults
 mode tcp
 timeout connect 5s
 timeout client 5s
 timeout server 5s
frontend f
 bind :8443
 tcp-request inspect-delay 5s
 tcp-request content accept if { req_ssl_hello_type 1 }
 acl x req_ssl_sni -i a.example
 acl y req_ssl_ver 3.1:3.3
 acl z req_len gt 0
 acl r req_rdp_cookie(mstshash) x
 acl w rep_ssl_hello_type 2
 use_backend b if x
 default_backend b
backend b
 balance rdp-cookie
 persist rdp-cookie
 stick-table type ip size 200k expire 30m
 stick on src
 stick store-request rdp_cookie(mstshash)
 server a 127.0.0.1:8001
""",
    "sni2": r"""defaults
 mode tcp
 timeout connect 5s
 timeout client 5s
 timeout server 5s
frontend f
 bind :8443
 tcp-request inspect-delay 5s
 tcp-request content accept if { req_ssl_hello_type 1 }
 use_backend b if { req_ssl_sni -i a.example }
 default_backend b
backend b
 stick on ssl_c_verify
 stick-table type binary len 32 size 30k expire 30m
 acl clienthello req_ssl_hello_type 1
 acl serverhello rep_ssl_hello_type 2
 tcp-request inspect-delay 5s
 tcp-request content accept if clienthello
 tcp-response content accept if serverhello
 stick on payload_lv(43,1) if clienthello
 stick store-response payload_lv(43,1) if serverhello
 server a 127.0.0.1:8001
""",
    "ssl": r"""global
 ssl-default-bind-ciphers HIGH
 ssl-default-bind-options no-sslv3 no-tls-tickets
 ssl-default-server-options no-sslv3
 ssl-server-verify none
 ca-base /etc/ssl/certs
 crt-base /etc/ssl/private
defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
frontend f
 bind :8443 ssl crt {pem} no-sslv3 ciphers HIGH npn http/1.1 ecdhe prime256v1
 redirect scheme https if !{ ssl_fc }
 reqadd X-Forwarded-Proto:\ https
 rspadd Strict-Transport-Security:\ max-age=1
 default_backend b
backend b
 server a 127.0.0.1:8001 ssl verify none
""",
    "stats": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen stats :8404
 stats enable
 stats uri /admin?stats
 stats realm Haproxy\ Statistics
 stats auth admin:pw
 stats hide-version
 stats refresh 10s
 stats admin if TRUE
 stats scope .
 stats show-node x
""",
    "tcp-content": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
 tcp-request inspect-delay 5s
 tcp-request content reject if { src_conn_rate gt 10 }
 stick-table type ip size 1k store conn_rate(10s),gpc0
 tcp-request content track-sc1 src
 tcp-request content reject if { sc1_get_gpc0 gt 1 }
 tcp-request connection reject if { src_conn_cur ge 10 }
 http-request deny if { sc1_inc_gpc0 gt 100 }
""",
    "timeouts": r"""global
 maxconn 4096
 daemon
defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
 retries 3
 redispatch
 maxconn 2000
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
""",
    "track-counters": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
 use-server a if { path /a }
 ignore-persist if { path /i }
 force-persist if { src 10.0.0.1 }
 option abortonclose
 option allbackups
 option checkcache
""",
    "transparent": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
 option transparent
 source 0.0.0.0 usesrc clientip
""",
    "tune": r"""global
 tune.bufsize 16384
 tune.maxrewrite 1024
 tune.chksize 16384
 tune.maxaccept 100
 tune.http.maxhdr 101
 tune.ssl.default-dh-param 2048
 tune.ssl.cachesize 20000
 tune.idletimer 1000
 tune.h2.header-table-size 4096
 tune.rcvbuf.client 8192
 maxconnrate 100
 maxpipes 10
 nopoll
 noepoll
 nosplice
 spread-checks 3
 debug
 quiet
 ulimit-n 65535
defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
""",
    "tunnel": r"""defaults
 mode http
 contimeout 5000
 clitimeout 50000
 srvtimeout 50000
listen web 0.0.0.0:8080
 server a 127.0.0.1:8001 check
 option http-tunnel
 option http-use-htx
 no option http-use-htx
 no option forceclose
""",
}  # fmt: skip
