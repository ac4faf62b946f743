SIGNAL keyword k { keywords: ["x"] operator: "XOR" method: "bm52" }
ROUTING { strategy: priorty }
